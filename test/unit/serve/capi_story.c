/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * capi_story ENGINE PROMPT N: a whole program over libingot, in C. Continues a prompt greedily by N tokens as text
 * comes, and then checks by hand, step by step, that the likeliest ids are the ones that were drawn.
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
  fprintf(stderr, "capi_story: %s: %s\n", ingot_status_name(status), ingot_error_message());
  exit(1);
}

static int show(void *user, const ingot_output *output) {
  (void)user;
  fwrite(output->text, 1, output->text_bytes, stdout);
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
  ingot_row row;
  size_t length, bytes, i;
  char *text;
  float *logits;
  if (argc != 4)
    return 2;
  ingot_load_options_init(&load);
  load.sequences = 1;
  must(ingot_load(argv[1], &load, &model));
  ingot_model_info_init(&info);
  must(ingot_model_get_info(model, &info));

  must(ingot_tokenize(model, argv[2], strlen(argv[2]), 1, NULL, 0, &length));
  if (length == 0 || length >= kMost)
    return 1;
  must(ingot_tokenize(model, argv[2], strlen(argv[2]), 1, ids, kMost, &length));
  count = length;
  must(ingot_detokenize(model, ids, length, 1, NULL, 0, &bytes));
  text = malloc(bytes + 1);
  must(ingot_detokenize(model, ids, length, 1, text, bytes, &bytes));
  text[bytes] = 0;
  if (strcmp(text, argv[2]) != 0) {
    fprintf(stderr, "capi_story: the prompt came back as '%s'\n", text);
    return 1;
  }

  ingot_generate_options_init(model, &options);
  options.temperature = 0;
  options.new_tokens = atoi(argv[3]);
  options.ignore_end = 1;
  prompt.ids = ids;
  prompt.count = length;
  prompt.options = &options;
  must(ingot_generate(model, &prompt, 1, show, NULL));
  putchar('\n');

  must(ingot_sequence_create(model, &sequence));
  logits = malloc((size_t)info.vocabulary * sizeof *logits);
  row.sequence = sequence;
  row.want = INGOT_LAST_LOGITS;
  for (i = 0; i < count; i += row.count) {
    int64_t best = 0, v;
    row.ids = ids + i;
    row.count = i ? 1 : length;
    if (i + row.count == count)
      break;
    must(ingot_step(model, &row, 1, logits));
    for (v = 1; v < info.vocabulary; ++v)
      if (logits[v] > logits[best])
        best = v;
    if (best != ids[i + row.count]) {
      fprintf(stderr, "capi_story: place %zu: steps say %lld, generation drew %d\n", i + row.count, (long long)best,
              ids[i + row.count]);
      return 1;
    }
  }
  ingot_sequence_free(sequence);
  ingot_model_free(model);
  free(text);
  free(logits);
  return 0;
}
