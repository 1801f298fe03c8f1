/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libingot: runs engines that `ingot compile` made. Plain C, no other library needed.
 *
 *   ingot_model *model;
 *   if (ingot_load("qwen.ingot", NULL, &model)) { fprintf(stderr, "%s\n", ingot_error_message()); exit(1); }
 *   ... ingot_tokenize, ingot_generate ...
 *   ingot_model_free(model);
 *
 * Errors. Every function that can fail returns an ingot_status: 0 is success, anything else says what the caller should
 * do; ingot_error_message() then has a sentence that names the thing at fault, what was expected and found. A function
 * that failed has changed nothing, unless it says otherwise. Pointers documented as "never null" are checked all the
 * same.
 *
 * Structs that the caller fills begin with `struct_size`; the *_init function of each sets it and every default. Newer
 * versions append fields, and a library newer than the caller fills those with their defaults.
 *
 * Threads. Different models are independent. Functions that take a `const ingot_model *` may run on any number of
 * threads at once; those that take an `ingot_model *` compute on it, one at a time: the caller sees to that. All
 * strings are UTF-8. All sizes of memory are bytes.
 *
 * An engine holds native code and is trusted like a program: load only what you would run.
 */
#ifndef INGOT_H
#define INGOT_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define INGOT_API
#else
#define INGOT_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ingot_status {
  INGOT_OK = 0,
  INGOT_INVALID_ARGUMENT = 1,   /* change the call */
  INGOT_NOT_FOUND = 2,          /* name another thing: this one does not exist */
  INGOT_CORRUPT = 3,            /* get the file again: it is damaged */
  INGOT_UNSUPPORTED = 4,        /* use another machine, engine or library */
  INGOT_RESOURCE_EXHAUSTED = 5, /* ask for less, or free memory or disk */
  INGOT_IO = 6,                 /* the operating system failed; its reason is in the message */
  INGOT_INTERNAL = 7,           /* a bug of Ingot: report it */
  INGOT_STOPPED = 8             /* the caller's callback asked to stop */
} ingot_status;

/* "0.1.0". Static; never null. Thread-safe. */
INGOT_API const char *ingot_version(void);
/* "invalid_argument", ...; "unknown" for a number that is no status. Static; never null. */
INGOT_API const char *ingot_status_name(ingot_status status);
/* The sentence of the last call that failed on this thread; "" when none did. Valid until the next call of this library
 * on this thread. */
INGOT_API const char *ingot_error_message(void);

/* --- Models --- */

/* An engine mapped and ready to run, with its tokenizer, threads and memory. Opaque. */
typedef struct ingot_model ingot_model;

typedef struct ingot_load_options {
  size_t struct_size;
  uint32_t threads;     /* 0: one per physical core that the process may use */
  int64_t context;      /* positions of a sequence; 0: the model's own */
  uint64_t cache_bytes; /* of the KV cache; 0: every sequence's context, within half of the machine's memory */
  int64_t sequences;    /* that run at the same time; default 8 */
  int64_t chunk;        /* tokens of one prompt that a step takes at most; default 512 */
  int64_t step_tokens;  /* tokens of all rows of a step; 0: a chunk, or one per sequence if that is more */
  int64_t logit_rows;   /* rows of logits that one ingot_step may give; 0: one per sequence */
  int64_t source;       /* largest dimension of what an encoder reads; 0: the model's context, 4,096 at most */
} ingot_load_options;

INGOT_API void ingot_load_options_init(ingot_load_options *options);

/* Loads the engine at `path`. `options` may be null: all defaults. On success *model is the caller's, to be freed with
 * ingot_model_free; on failure it is null. Memory is reserved, and paid for page by page as it is used.
 * Errors: those of the file (NOT_FOUND, IO, CORRUPT, UNSUPPORTED: no kernels for this CPU, or no decoder),
 * INVALID_ARGUMENT for options out of range, RESOURCE_EXHAUSTED. */
INGOT_API ingot_status ingot_load(const char *path, const ingot_load_options *options, ingot_model **model);
/* Null is allowed. Every sequence and session of the model must have been freed. */
INGOT_API void ingot_model_free(ingot_model *model);

typedef struct ingot_model_info {
  size_t struct_size;
  const char *name;    /* strings live as long as the model; never null */
  const char *family;  /* model_type of its config */
  const char *compute; /* "f32" or "bf16": precision of products */
  const char *variant; /* the kernels taken: "avx2", "avx512", ... */
  int64_t vocabulary;  /* ids are 0 .. vocabulary-1 */
  int64_t context;     /* positions that a sequence may have, as loaded */
  int64_t sequences;   /* at the same time */
  int64_t step_tokens; /* tokens of a step */
  int64_t logit_rows;  /* rows of logits of a step */
  uint64_t threads;
  uint64_t weight_bytes, arena_bytes, cache_bytes; /* mapped, reserved, reserved */
  int32_t has_tokenizer;
  int32_t bos; /* the id that begins a text; -1: none */
  int64_t source;           /* positions that a source may have; 0: the model has no encoder */
  int32_t source_is_ids;    /* 1: a source is token ids; 0: features */
  const int32_t *start_ids; /* what a text of a decoder with an encoder begins with: start_count ids */
  size_t start_count;
} ingot_model_info;

/* `info` must have its struct_size set (ingot_model_info_init). */
INGOT_API void ingot_model_info_init(ingot_model_info *info);
INGOT_API ingot_status ingot_model_get_info(const ingot_model *model, ingot_model_info *info);

/* --- Text --- */

/* Encodes text[0 .. bytes). Writes at most `capacity` ids, and to *count how many the text has, so that a call with
 * capacity 0 tells the size (`ids` may be null then). add_special: also what the tokenizer adds around a text.
 * Errors: NOT_FOUND where the engine has no tokenizer. */
INGOT_API ingot_status ingot_tokenize(const ingot_model *model, const char *text, size_t bytes, int add_special,
                                      int32_t *ids, size_t capacity, size_t *count);
/* The text of ids[0 .. count), without a terminating zero. Writes at most `capacity` bytes, and to *bytes how many the
 * text has. skip_special: leave out special tokens. Errors: NOT_FOUND as above; INVALID_ARGUMENT for an id outside the
 * vocabulary. */
INGOT_API ingot_status ingot_detokenize(const ingot_model *model, const int32_t *ids, size_t count, int skip_special,
                                        char *text, size_t capacity, size_t *bytes);

/* Renders a conversation as the model's chat template has it, up to where the assistant begins. `conversation` is JSON: a
 * list of messages, [{"role": "user", "content": "..."}, ...], or an object with "messages" and whatever else the template
 * looks at: "tools", "documents", "enable_thinking", ... Writes at most `capacity` bytes of the text, without a terminating
 * zero, and to *bytes how many it has. The text holds its special tokens, so encode it with add_special 0.
 * Errors: NOT_FOUND where the engine has no chat template; INVALID_ARGUMENT for what is no such JSON, and where the
 * template refuses the conversation, with its reason; RESOURCE_EXHAUSTED for a template that takes too long. */
INGOT_API ingot_status ingot_chat_render(const ingot_model *model, const char *conversation, size_t conversation_bytes,
                                         char *text, size_t capacity, size_t *bytes);

/* --- Generation --- */

/* A tensor in the caller's memory, see below. */
typedef struct ingot_tensor ingot_tensor;

/* What a conversation keeps in the cache between calls of ingot_generate. Opaque. */
typedef struct ingot_session ingot_session;

typedef struct ingot_generate_options {
  size_t struct_size;
  float temperature;        /* 0: greedy, the lowest id among equals */
  int32_t top_k;            /* 0: off */
  float top_p;              /* 1: off */
  float min_p;              /* 0: off */
  float repetition_penalty; /* over prompt and output; 1: off */
  float presence_penalty;   /* over the output; 0: off */
  float frequency_penalty;  /* over the output, per occurrence; 0: off */
  int64_t seed;             /* the same seed gives the same text, whatever else runs beside it */
  int64_t new_tokens;       /* at most; 0: until the context is full */
  int32_t ignore_end;       /* 1: go on after the model's end tokens */
  const char *const *stop;  /* stop_count strings, zero-terminated; the text ends before the first that occurs */
  size_t stop_count;
  ingot_session *session; /* of this model; of one prompt of a call at most; null: nothing is kept */
  const ingot_tensor *source; /* of a model with an encoder: what that reads. Token ids, i32 or i64 [n] or [1, n], or features as
                                 the model takes them. Its name does not matter. Such a model has no sessions */
} ingot_generate_options;

/* The defaults that came with the checkpoint; seed 0. */
INGOT_API void ingot_generate_options_init(const ingot_model *model, ingot_generate_options *options);

typedef struct ingot_prompt {
  const int32_t *ids; /* count >= 1 ids; read during the call only. Of a model with an encoder these begin the decoder's text */
  size_t count;       /* 0 there: the model's start_ids */
  const ingot_generate_options *options; /* null: the checkpoint's defaults */
} ingot_prompt;

typedef enum ingot_finish {
  INGOT_RUNNING = 0,     /* more will come */
  INGOT_END_TOKEN = 1,   /* drew one of the model's end tokens */
  INGOT_STOP_STRING = 2, /* came to a stop string */
  INGOT_NEW_TOKENS = 3,  /* drew as many tokens as it was allowed */
  INGOT_CONTEXT_FULL = 4
} ingot_finish;

/* One drawn token. Valid during the callback only. */
typedef struct ingot_output {
  size_t prompt; /* index of its prompt */
  int32_t id;
  float log_probability; /* of id, natural logarithm */
  const char *text; /* what may be shown now: whole UTF-8 characters, zero-terminated, possibly empty. The texts of a
                       prompt follow one another; an end token or a stop string is not part of them. Empty without
                       a tokenizer. */
  size_t text_bytes;
  ingot_finish finish;
} ingot_output;

/* Returns 0 to go on, anything else to stop the whole call. Runs on the calling thread; it must not use the model. */
typedef int (*ingot_output_callback)(void *user, const ingot_output *output);

/* Continues `count` prompts together until each has finished. They share steps; greedy text is bit-identical to each
 * prompt alone, and so is drawn text of the same seed. All prompts are checked before the first step.
 * Errors: INVALID_ARGUMENT for an empty prompt, ids outside the vocabulary, a prompt longer than the context, options
 * out of range, or while sequences made by ingot_sequence_create exist; STOPPED when the callback asked for it. */
INGOT_API ingot_status ingot_generate(ingot_model *model, const ingot_prompt *prompts, size_t count,
                                      ingot_output_callback callback, void *user);

/* An empty session, the caller's, to be freed before the model. A prompt with a session begins with the positions that it
 * has in common with what the session keeps, and computes the rest; afterwards the session keeps that prompt and what was
 * drawn, also when the call was stopped. So a conversation gives its whole text each time and pays for what is new; what
 * is drawn is the same as without. A session is a cache: when prompts need its pages it loses them, and the next prompt is
 * computed whole. Errors: INVALID_ARGUMENT while sequences made by ingot_sequence_create exist. */
INGOT_API ingot_status ingot_session_create(ingot_model *model, ingot_session **session);
/* Frees what it keeps. Null is allowed. */
INGOT_API void ingot_session_free(ingot_session *session);
/* Positions that it keeps now. */
INGOT_API int64_t ingot_session_length(const ingot_session *session);

/* --- Steps: the layer under generation --- */

/* Positions of one text in the KV cache. Opaque. */
typedef struct ingot_sequence ingot_sequence;

/* An empty sequence; pages are taken as it grows. The caller's, to be freed before the model.
 * Errors: INVALID_ARGUMENT while sessions exist: both would need the cache. */
INGOT_API ingot_status ingot_sequence_create(ingot_model *model, ingot_sequence **sequence);
/* Of a model with an encoder: computes the source that the sequence's tokens attend to, before the first of them. `source` as in
 * ingot_generate_options. Errors: INVALID_ARGUMENT for a source that the model does not take or that is too long, for a sequence that
 * has one, and for a model without an encoder; RESOURCE_EXHAUSTED where the cache has no room for it. */
INGOT_API ingot_status ingot_sequence_encode(ingot_sequence *sequence, const ingot_tensor *source);
/* Gives its pages back. Null is allowed. */
INGOT_API void ingot_sequence_free(ingot_sequence *sequence);
/* Positions computed so far. */
INGOT_API int64_t ingot_sequence_length(const ingot_sequence *sequence);

typedef enum ingot_want { INGOT_NO_LOGITS = 0, INGOT_LAST_LOGITS = 1, INGOT_ALL_LOGITS = 2 } ingot_want;

/* The next tokens of one sequence. */
typedef struct ingot_row {
  ingot_sequence *sequence; /* of this model; in one row of a step at most */
  const int32_t *ids;       /* count >= 1 */
  size_t count;
  ingot_want want;
} ingot_row;

/* Computes all rows in one step and appends them to their sequences. `logits` gets float32 [rows of logits, vocabulary]
 * in the order of the rows; it may be null when no row wants any. Nothing depends on how tokens are cut into steps or
 * on which rows share one: the same bits come out.
 * Errors: INVALID_ARGUMENT for ids outside the vocabulary, a sequence that outgrows the context, or more sequences,
 * tokens or rows of logits than ingot_model_info tells; RESOURCE_EXHAUSTED when the cache has no page left: free a
 * sequence and try again, nothing was appended. After INTERNAL, free the sequences of the step. */
INGOT_API ingot_status ingot_step(ingot_model *model, const ingot_row *rows, size_t count, float *logits);

/* --- Graphs: tensors in, tensors out --- */

/* An engine whose entries are functions of named tensors: an encoder, a classifier, any graph. Opaque. */
typedef struct ingot_graph ingot_graph;

typedef struct ingot_graph_options {
  size_t struct_size;
  uint32_t threads;   /* 0: one per physical core that the process may use */
  const char *device; /* "cpu", or a GPU: "cuda", "cuda:1"; null: the CPU */
} ingot_graph_options;

INGOT_API void ingot_graph_options_init(ingot_graph_options *options);

/* Opens the engine at `path`. `options` may be null: all defaults. On success *graph is the caller's, to be freed with
 * ingot_graph_free; on failure it is null. Memory is placed at the first run, for the shapes that it has, and placed anew
 * where a later run has larger ones.
 * Errors: those of the file (NOT_FOUND, IO, CORRUPT), INVALID_ARGUMENT for options out of range. */
INGOT_API ingot_status ingot_graph_open(const char *path, const ingot_graph_options *options, ingot_graph **graph);
/* Null is allowed. */
INGOT_API void ingot_graph_free(ingot_graph *graph);

/* Entries are numbered from 0, and so are the inputs and outputs of each. */
INGOT_API size_t ingot_graph_entry_count(const ingot_graph *graph);
/* Lives as long as the graph; null where there is no such entry. */
INGOT_API const char *ingot_graph_entry_name(const ingot_graph *graph, size_t entry);
/* The number of the entry of that name; of null: "main", or the only entry. Errors: NOT_FOUND. */
INGOT_API ingot_status ingot_graph_find_entry(const ingot_graph *graph, const char *name, size_t *entry);
/* 0 where there is no such entry. */
INGOT_API size_t ingot_graph_input_count(const ingot_graph *graph, size_t entry);
INGOT_API size_t ingot_graph_output_count(const ingot_graph *graph, size_t entry);

typedef enum ingot_type {
  INGOT_F32 = 0,
  INGOT_F16 = 1,
  INGOT_BF16 = 2,
  INGOT_F64 = 3,
  INGOT_I8 = 4,
  INGOT_U8 = 5,
  INGOT_I16 = 6,
  INGOT_U16 = 7,
  INGOT_I32 = 8,
  INGOT_U32 = 9,
  INGOT_I64 = 10,
  INGOT_U64 = 11,
  INGOT_BOOL = 12 /* a byte, 0 or 1 */
} ingot_type;

/* Bytes of one element; 0 of a number that is no type. */
INGOT_API size_t ingot_type_bytes(ingot_type type);

/* What an entry takes or gives. All pointers live as long as the graph. */
typedef struct ingot_tensor_info {
  size_t struct_size;
  const char *name;
  ingot_type type;
  size_t rank;
  const char *const *dims; /* rank of them: "768" is fixed; "batch", "past + 1" vary, equal names by equal numbers */
} ingot_tensor_info;

/* `info` must have its struct_size set (ingot_tensor_info_init). Errors: NOT_FOUND for a number that is none. */
INGOT_API void ingot_tensor_info_init(ingot_tensor_info *info);
INGOT_API ingot_status ingot_graph_get_input(const ingot_graph *graph, size_t entry, size_t input,
                                             ingot_tensor_info *info);
INGOT_API ingot_status ingot_graph_get_output(const ingot_graph *graph, size_t entry, size_t output,
                                              ingot_tensor_info *info);

/* A tensor in the caller's memory: row-major, without gaps, aligned to its elements. */
struct ingot_tensor {
  const char *name;
  ingot_type type;
  size_t rank;
  const int64_t *shape; /* rank of them */
  void *data;           /* of inputs it is only read; may be null where the tensor has no elements */
  size_t bytes;         /* that `data` has */
};

/* The shape that an output has for inputs of these shapes; their data is not looked at. Writes at most `capacity`
 * dimensions, and to *rank how many there are, so that a call with capacity 0 tells the rank.
 * Errors: as ingot_graph_run of the inputs; NOT_FOUND for an output that is none. */
INGOT_API ingot_status ingot_graph_output_shape(const ingot_graph *graph, size_t entry, const ingot_tensor *inputs,
                                                size_t input_count, size_t output, int64_t *shape, size_t capacity,
                                                size_t *rank);

/* Runs an entry. Inputs may stand in any order, and all of the entry's must be there; their shapes decide those of the
 * outputs. Of the outputs name those that are wanted, with memory for the shapes that ingot_graph_output_shape tells: type,
 * shape and bytes must fit. An output may not overlap an input or another output.
 * Errors: INVALID_ARGUMENT tells everything that does not fit, and values that the graph refuses (an index out of range);
 * UNSUPPORTED: no kernels for this machine, or an entry of a decoder, which works on a KV cache: use ingot_load;
 * RESOURCE_EXHAUSTED. After an error the outputs are unspecified. */
INGOT_API ingot_status ingot_graph_run(ingot_graph *graph, size_t entry, const ingot_tensor *inputs, size_t input_count,
                                       const ingot_tensor *outputs, size_t output_count);

/* The shape that an output had in the last run. It differs from what ingot_graph_output_shape tells where a dimension
 * depends on data: that is the largest it may be, and the elements stand at the front of the memory. Parameters as there.
 * Errors: NOT_FOUND for an output that is none, or before the first run. */
INGOT_API ingot_status ingot_graph_result_shape(const ingot_graph *graph, size_t output, int64_t *shape,
                                                size_t capacity, size_t *rank);

#ifdef __cplusplus
}
#endif

#endif
