/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * capi_chat ENGINE FIRST SECOND N: two messages to a model over libingot, in C, each with a greedy reply of at most N
 * tokens. A session keeps the first turn in the cache.
 */
#include "runtime/include/ingot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMost = 1 << 16 };
static char conversation[kMost], text[kMost];
static int32_t ids[kMost];

static void must(ingot_status status) {
  if (status == INGOT_OK)
    return;
  fprintf(stderr, "capi_chat: %s: %s\n", ingot_status_name(status), ingot_error_message());
  exit(1);
}

/* Appends text to the conversation as JSON has it. */
static void quote(const char *from, size_t bytes) {
  char *to = conversation + strlen(conversation);
  size_t i;
  for (i = 0; i < bytes && to < conversation + kMost - 8; ++i) {
    unsigned char c = (unsigned char)from[i];
    if (c < 0x20)
      to += sprintf(to, "\\u%04x", c);
    else {
      if (c == '"' || c == '\\')
        *to++ = '\\';
      *to++ = (char)c;
    }
  }
  *to = 0;
}

static int show(void *user, const ingot_output *output) {
  (void)user;
  fwrite(output->text, 1, output->text_bytes, stdout);
  quote(output->text, output->text_bytes);
  return 0;
}

int main(int argc, char **argv) {
  ingot_load_options load;
  ingot_generate_options options;
  ingot_model *model = NULL;
  ingot_session *session = NULL;
  ingot_prompt prompt;
  size_t bytes, count, kept;
  int turn;
  if (argc != 5)
    return 2;
  ingot_load_options_init(&load);
  load.sequences = 1;
  must(ingot_load(argv[1], &load, &model));
  must(ingot_session_create(model, &session));
  ingot_generate_options_init(model, &options);
  options.temperature = 0;
  options.new_tokens = atoi(argv[4]);
  options.session = session;
  prompt.ids = ids;
  prompt.options = &options;

  strcpy(conversation, "[");
  for (turn = 0; turn < 2; ++turn) {
    strcat(conversation, turn ? "\"}, {\"role\": \"user\", \"content\": \"" : "{\"role\": \"user\", \"content\": \"");
    quote(argv[2 + turn], strlen(argv[2 + turn]));
    strcat(conversation, "\"}]");
    must(ingot_chat_render(model, conversation, strlen(conversation), NULL, 0, &bytes));
    if (bytes > kMost)
      return 1;
    must(ingot_chat_render(model, conversation, strlen(conversation), text, kMost, &bytes));
    must(ingot_tokenize(model, text, bytes, 0, ids, kMost, &count));
    kept = (size_t)ingot_session_length(session);
    if (turn == 1 && (kept == 0 || kept >= count)) {
      fprintf(stderr, "capi_chat: the session keeps %zu positions of %zu\n", kept, count);
      return 1;
    }
    prompt.count = count;
    conversation[strlen(conversation) - 1] = 0;
    strcat(conversation, ", {\"role\": \"assistant\", \"content\": \"");
    must(ingot_generate(model, &prompt, 1, show, NULL));
    printf("\n");
  }

  if (ingot_chat_render(model, "[{}]", 4, text, kMost, &bytes) != INGOT_INVALID_ARGUMENT ||
      strcmp(ingot_error_message(), "ingot_chat_render: message 1 has no role; write one such as \"role\": \"user\"") ||
      ingot_chat_render(model, "[", 1, text, kMost, &bytes) != INGOT_INVALID_ARGUMENT ||
      ingot_chat_render(model, NULL, 0, text, kMost, &bytes) != INGOT_INVALID_ARGUMENT) {
    fprintf(stderr, "capi_chat: found '%s'\n", ingot_error_message());
    return 1;
  }
  ingot_session_free(session);
  ingot_model_free(model);
  return 0;
}
