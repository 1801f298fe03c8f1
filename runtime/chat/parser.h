// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From tokens to a tree, by jinja2's grammar. What Ingot does not render (import, include, extends, block, autoescape,
// some filters) is refused here, so that an engine is never made with it.
#ifndef INGOT_RUNTIME_CHAT_PARSER_H
#define INGOT_RUNTIME_CHAT_PARSER_H

#include "runtime/chat/lexer.h"
#include "runtime/chat/syntax.h"

namespace ingot::chat {

runtime::Result<std::unique_ptr<TemplateSyntax>> parseTokens(std::vector<Token> tokens);

} // namespace ingot::chat

#endif
