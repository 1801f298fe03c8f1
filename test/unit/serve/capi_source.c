/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * capi_source ENGINE SOURCE N: a model with an encoder over libingot, in C. Answers a source of token ids ("3,14,15") greedily with N tokens, prints their
 * ids, and checks step by step that they are the likeliest; then that what cannot be is refused.
 */
#include "runtime/include/ingot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMost = 1024 };
static int32_t ids[kMost];
static size_t count;

static void must(ingot_status status) {
  if (status == INGOT_OK)
    return;
  fprintf(stderr, "capi_source: %s: %s\n", ingot_status_name(status), ingot_error_message());
  exit(1);
}

static void refused(ingot_status status, const char *words) {
  if (status == INGOT_INVALID_ARGUMENT && strstr(ingot_error_message(), words))
    return;
  fprintf(stderr, "capi_source: expected to be told '%s', not: %s\n", words, status == INGOT_OK ? "nothing" : ingot_error_message());
  exit(1);
}

static int keep(void *user, const ingot_output *output) {
  (void)user;
  ids[count++] = output->id;
  return count == kMost;
}

int main(int argc, char **argv) {
  ingot_load_options load;
  ingot_generate_options options;
  ingot_model_info info;
  ingot_model *model = NULL;
  ingot_sequence *sequence = NULL;
  ingot_prompt prompt;
  ingot_tensor source;
  ingot_row row;
  int32_t read[kMost];
  int64_t shape[1], best, v;
  size_t i, start;
  float *logits;
  char *at;
  if (argc != 4)
    return 2;
  ingot_load_options_init(&load);
  load.sequences = 2;
  load.source = 24;
  must(ingot_load(argv[1], &load, &model));
  ingot_model_info_init(&info);
  must(ingot_model_get_info(model, &info));
  if (info.source != 24 || !info.source_is_ids || info.start_count == 0) {
    fprintf(stderr, "capi_source: not told of the encoder\n");
    return 1;
  }
  shape[0] = 0;
  for (at = argv[2]; *at && shape[0] < kMost; at += *at == ',')
    read[shape[0]++] = (int32_t)strtol(at, &at, 10);
  memset(&source, 0, sizeof source);
  source.type = INGOT_I32;
  source.rank = 1;
  source.shape = shape;
  source.data = read;
  source.bytes = (size_t)shape[0] * sizeof *read;

  ingot_generate_options_init(model, &options);
  options.temperature = 0;
  options.new_tokens = atoi(argv[3]);
  options.ignore_end = 1;
  prompt.ids = NULL;
  prompt.count = 0;
  prompt.options = &options;
  refused(ingot_generate(model, &prompt, 1, keep, NULL), "the prompt has no tokens");
  prompt.ids = info.start_ids;
  prompt.count = info.start_count;
  refused(ingot_generate(model, &prompt, 1, keep, NULL), "the request has none");
  prompt.count = 0; /* the model's own start */
  options.source = &source;
  source.bytes -= 1;
  refused(ingot_generate(model, &prompt, 1, keep, NULL), "bytes");
  source.bytes += 1;
  source.type = INGOT_F32;
  refused(ingot_generate(model, &prompt, 1, keep, NULL), "expected i64 [");
  source.type = INGOT_I32;
  start = info.start_count;
  memcpy(ids, info.start_ids, start * sizeof *ids);
  count = start;
  must(ingot_generate(model, &prompt, 1, keep, NULL));
  for (i = start; i < count; ++i)
    printf(i + 1 < count ? "%d," : "%d\n", ids[i]);

  must(ingot_sequence_create(model, &sequence));
  logits = malloc((size_t)info.vocabulary * sizeof *logits);
  row.sequence = sequence;
  row.ids = ids;
  row.count = start;
  row.want = INGOT_LAST_LOGITS;
  refused(ingot_step(model, &row, 1, logits), "no source");
  must(ingot_sequence_encode(sequence, &source));
  refused(ingot_sequence_encode(sequence, &source), "has a source already");
  for (i = 0; i < count - 1; i += row.count) {
    row.ids = ids + i;
    row.count = i ? 1 : start;
    must(ingot_step(model, &row, 1, logits));
    for (best = 0, v = 1; v < info.vocabulary; ++v)
      if (logits[v] > logits[best])
        best = v;
    if (best != ids[i + row.count]) {
      fprintf(stderr, "capi_source: after %zu tokens %lld is the likeliest, not %d\n", i + row.count, (long long)best, ids[i + row.count]);
      return 1;
    }
  }
  free(logits);
  ingot_sequence_free(sequence);
  ingot_model_free(model);
  return 0;
}
