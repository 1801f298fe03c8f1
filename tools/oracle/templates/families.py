# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Templates of our own, with the formats and the constructs of published model families, each rendered over
# conversations.json. See make-template-cases.
FAMILIES = {}


def simple(names, before, roles, prompt, first="", error="roles must alternate", alternate=False, system="first"):
    """Families that differ in their marks alone: `roles` gives what stands before and after a message."""
    for name in names:
        checks = ("{%% if (m['role'] == 'user') != (loop.index0 %% 2 == 0) %%}{{ raise_exception('%s') }}{%% endif %%}" % error) if alternate else ""
        bodies = "".join("{%% %s m['role'] == '%s' %%}{{ '%s' + m['content'] + '%s' }}" % ("if" if i == 0 else "elif", role, a, b)
                         for i, (role, a, b) in enumerate(roles))
        FAMILIES[name] = (before + "{% if messages and messages[0]['role'] == 'system' and " + ("true" if system == "first" else "false") +
                          " %}{% set sys = messages[0]['content'] %}{% set rest = messages[1:] %}{% else %}{% set sys = none %}{% set rest = messages %}{% endif %}" +
                          first + "{% for m in rest %}" + checks + bodies + "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '" + prompt + "' }}{% endif %}")


sys_line = "{% if sys is not none %}{{ sys | trim + '\\n\\n' }}{% endif %}"
simple(["vicuna"], "", [("user", "USER: ", " "), ("assistant", "ASSISTANT: ", "</s>\\n")], "ASSISTANT:", sys_line)
simple(["alpaca"], "", [("user", "### Instruction:\\n", "\\n\\n"), ("assistant", "### Response:\\n", "\\n\\n")], "### Response:\\n", sys_line, alternate=True)
simple(["openchat"], "{{ bos_token }}", [("user", "GPT4 Correct User: ", "<|end_of_turn|>"), ("assistant", "GPT4 Correct Assistant: ", "<|end_of_turn|>")], "GPT4 Correct Assistant:")
simple(["starling"], "{{ bos_token }}", [("user", "GPT4 Correct User: ", "<|end_of_turn|>"), ("assistant", "GPT4 Correct Assistant: ", "<|end_of_turn|>"), ("code", "Code User: ", "")], "GPT4 Correct Assistant:")
simple(["solar"], "", [("user", "### User:\\n", "\\n\\n"), ("assistant", "### Assistant:\\n", "\\n\\n")], "### Assistant:\\n", "{% if sys %}{{ '### System:\\n' ~ sys ~ '\\n\\n' }}{% endif %}")
simple(["orca"], "", [("user", "### User:\\n", "\\n"), ("assistant", "### Assistant:\\n", "\\n")], "### Assistant:\\n", "{{ '### System:\\n' ~ (sys or 'You help.') ~ '\\n' }}")
simple(["falcon"], "", [("user", "User: ", "\\n\\n"), ("assistant", "Assistant: ", "\\n\\n")], "Assistant:", sys_line)
simple(["baichuan"], "", [("user", "<reserved_106>", ""), ("assistant", "<reserved_107>", "</s>")], "<reserved_107>", "{% if sys %}{{ sys }}{% endif %}")
simple(["zephyr"], "", [("user", "<|user|>\\n", "</s>\\n"), ("assistant", "<|assistant|>\\n", "</s>\\n")], "<|assistant|>\\n", "{{ '<|system|>\\n' + (sys if sys else '') + '</s>\\n' }}")
simple(["stablelm", "tinyllama"], "", [("system", "<|system|>\\n", "<|endoftext|>\\n"), ("user", "<|user|>\\n", "<|endoftext|>\\n"), ("assistant", "<|assistant|>\\n", "<|endoftext|>\\n")], "<|assistant|>\\n", system="no")
simple(["chatml", "yi", "smollm", "internlm2"], "", [("system", "<|im_start|>system\\n", "<|im_end|>\\n"), ("user", "<|im_start|>user\\n", "<|im_end|>\\n"), ("assistant", "<|im_start|>assistant\\n", "<|im_end|>\\n")], "<|im_start|>assistant\\n", system="no")
simple(["olmo"], "{{ eos_token }}", [("system", "<|system|>\\n", "\\n"), ("user", "<|user|>\\n", "\\n"), ("assistant", "<|assistant|>\\n", "\\n")], "<|assistant|>\\n", system="no")
simple(["phi3"], "{{ bos_token }}", [("system", "<|system|>\\n", "<|end|>\\n"), ("user", "<|user|>\\n", "<|end|>\\n"), ("assistant", "<|assistant|>\\n", "<|end|>\\n")], "<|assistant|>\\n", system="no")
simple(["phi4"], "", [("system", "<|im_start|>system<|im_sep|>", "<|im_end|>"), ("user", "<|im_start|>user<|im_sep|>", "<|im_end|>"), ("assistant", "<|im_start|>assistant<|im_sep|>", "<|im_end|>")], "<|im_start|>assistant<|im_sep|>", system="no")
simple(["amberchat"], "", [("user", "### Human: ", "\\n"), ("assistant", "### Assistant: ", "\\n")], "### Assistant:", sys_line)
simple(["minicpm"], "", [("user", "<用户>", ""), ("assistant", "<AI>", "")], "<AI>", "{% if sys %}{{ sys }}{% endif %}")
simple(["xverse"], "", [("user", "Human: ", "\\n\\n"), ("assistant", "Assistant: ", "<|endoftext|>")], "Assistant: ")

FAMILIES["llama2"] = r"""{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set sys = messages[0]['content'] %}{% else %}{% set rest = messages %}{% set sys = false %}{% endif %}
{% for m in rest %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must go user, assistant, user ...') }}{% endif %}
{% if loop.index0 == 0 and sys != false %}{% set text = '<<SYS>>\n' + sys + '\n<</SYS>>\n\n' + m['content'] %}{% else %}{% set text = m['content'] %}{% endif %}
{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + text.strip() + ' [/INST]' }}{% elif m['role'] == 'assistant' %}{{ ' ' + text.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""
FAMILIES["llama3"] = r"""{% for m in messages %}{% set text = '<|start_header_id|>' + m['role'] + '<|end_header_id|>

' + m['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set text = bos_token + text %}{% endif %}{{ text }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>

' }}{% endif %}"""
LLAMA31 = r"""{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = DEFAULT %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{#- The system message is taken out, so that it can stand with the tools. #}
{%- if messages[0]['role'] == 'system' %}
    {%- if messages[0]['content'] is string %}{%- set sys = messages[0]['content']|trim %}{% else %}{%- set sys = messages[0]['content'][0]['text']|trim %}{% endif %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set sys = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Environment: ipython\n" }}
{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\n\n" }}
{%- endif %}
{{- "Today: " + date_string + "\n\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {{- "You may call these functions:\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\n\n" }}
    {%- endfor %}
{%- endif %}
{{- sys }}
{{- "<|eot_id|>" }}
{%- if tools_in_user_message and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("Tools need a first user message") }}
    {%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\n\n' -}}
    {{- "Answer with a call.\n\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\n\n" }}
    {%- endfor %}
    {{- first + "<|eot_id|>"}}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}
        {%- if message['content'] is string %}{{- message['content'] | trim }}{%- else %}{%- for content in message['content'] %}{%- if content['type'] == 'image' %}{{- '<|image|>' }}{%- elif content['type'] == 'text' %}{{- content['text'] }}{%- endif %}{%- endfor %}{%- endif %}
        {{- '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("One call at once only") }}
        {%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {%- if builtin_tools is defined and call.name in builtin_tools %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
            {{- "<|python_tag|>" + call.name + ".call(" }}
            {%- for name, value in call.arguments | items %}
                {{- name + '="' + value + '"' }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- endif %}
            {%- endfor %}
            {{- ")" }}
        {%- else %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
            {{- '{"name": "' + call.name + '", ' }}
            {{- '"parameters": ' }}
            {{- call.arguments | tojson }}
            {{- "}" }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\n\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
"""
FAMILIES["llama3.1"] = LLAMA31.replace("DEFAULT", "true")
FAMILIES["llama3.3"] = LLAMA31.replace("DEFAULT", "false").replace("Today: ", "Cutting Knowledge Date: December 2023\nToday Date: ")
FAMILIES["llama4"] = LLAMA31.replace("DEFAULT", "false").replace("start_header_id", "header_start").replace("end_header_id", "header_end").replace("eot_id", "eot").replace('"One call at once only"', '"One call"')
FAMILIES["mistral"] = r"""{{ bos_token }}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}{% elif m['role'] == 'assistant' %}{{ m['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"""
FAMILIES["mixtral"] = FAMILIES["mistral"].replace("m['content'] + eos_token", "' ' + m['content'] + ' ' + eos_token")
FAMILIES["mistral_tools"] = r"""{%- if messages[0]["role"] == "system" %}
    {%- set sys = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("user and assistant must take turns") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and sys is defined %}
            {{- "[INST] " + sys + "\n\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for call in message.tool_calls %}
            {%- set out = call.function|tojson %}
            {{- out[:-1] }}
            {%- if not call.id is defined or call.id|length != 9 %}
                {{- raise_exception("ids have 9 characters") }}
            {%- endif %}
            {{- ', "id": "' + call.id + '"}' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- else %}
                {{- "]" + eos_token }}
            {%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("unknown role " ~ message["role"]) }}
    {%- endif %}
{%- endfor %}
"""
FAMILIES["ministral"] = FAMILIES["mistral_tools"].replace("call.id|length != 9", "call.id|length < 5").replace('"[INST] " + ', '"[INST]" + ')
FAMILIES["mistral_small"] = r"""{%- set today = strftime_now("%Y-%m-%d") %}
{%- set default = "You are X.\nToday is " + today + "." %}
{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- if messages[0]['content'] is string %}{%- set sys = messages[0]['content'] %}{%- else %}{%- set sys = messages[0]['content'][0]['text'] %}{%- endif %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set sys = default %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '[SYSTEM_PROMPT]' + sys + '[/SYSTEM_PROMPT]' }}
{%- for message in loop_messages %}
    {%- if message['role'] == 'user' %}
        {%- if message['content'] is string %}
            {{- '[INST]' + message['content'] + '[/INST]' }}
        {%- else %}
            {{- '[INST]' }}
            {%- for block in message['content'] %}
                {%- if block['type'] == 'text' %}
                    {{- block['text'] }}
                {%- elif block['type'] in ['image', 'image_url'] %}
                    {{- '[IMG]' }}
                {%- else %}
                    {{- raise_exception('Only text and image blocks are supported in message content!') }}
                {%- endif %}
            {%- endfor %}
            {{- '[/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'system' %}
        {{- '[SYSTEM_PROMPT]' + message['content'] + '[/SYSTEM_PROMPT]' }}
    {%- elif message['role'] == 'assistant' %}
        {%- if message['content'] is string %}{{- message['content'] + eos_token }}{%- else %}{{- message['content'][0]['text'] + eos_token }}{%- endif %}
    {%- else %}
        {{- raise_exception('Only user, system and assistant roles are supported!') }}
    {%- endif %}
{%- endfor %}"""
QWEN25 = r"""{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'DEFAULT' }}
    {%- endif %}
    {{- "\n\n# Tools\n\nSignatures within <tools></tools>:\n<tools>" }}
    {%- for tool in tools %}
        {{- "\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\n</tools>\n\nCalls look like\n<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call><|im_end|>\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
    {%- else %}
        {{- '<|im_start|>system\nDEFAULT<|im_end|>\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\n<tool_call>\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\n<tool_response>\n' }}
        {{- message.content }}
        {{- '\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
"""
FAMILIES["qwen2.5"] = QWEN25.replace("DEFAULT", "You are a helper.")
FAMILIES["hermes2"] = QWEN25.replace("DEFAULT", "").replace("# Tools", "You call functions.")
FAMILIES["smollm3"] = QWEN25.replace("DEFAULT", "You are S.").replace("'<|im_start|>assistant\\n' }}", "'<|im_start|>assistant\\n' }}{% generation %}{% endgeneration %}")
FAMILIES["qwen1.5"] = "{% for m in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
QWEN3 = r"""{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\n\n' }}{%- endif %}
    {{- "# Tools\n<tools>" }}
    {%- for tool in tools %}{{- "\n" }}{{- tool | tojson }}{%- endfor %}
    {{- "\n</tools><|im_end|>\n" }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\n<think>\n' + reasoning_content.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}{{- '\n' }}{%- endif %}
                {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
                {{- '<tool_call>\n{"name": "' + tool_call.name + '", "arguments": ' }}
                {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}
                {{- '}\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\n<tool_response>\n' + content + '\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\n' }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %}"""
FAMILIES["qwen3"] = QWEN3
FAMILIES["qwq"] = QWEN3.replace("{%- if enable_thinking is defined and enable_thinking is false %}\n        {{- '<think>\\n\\n</think>\\n\\n' }}\n    {%- endif %}", "{{- '<think>\\n' }}")
FAMILIES["qwen3_coder"] = r"""{% macro keys(d, handled) %}{% if d is mapping %}{% for k in d %}{% if k not in handled %}{{- '\n<' ~ k ~ '>' ~ (d[k] | tojson if d[k] is mapping or (d[k] is sequence and d[k] is not string) else d[k]) ~ '</' ~ k ~ '>' }}{% endif %}{% endfor %}{% endif %}{% endmacro %}
{%- if messages and messages[0]["role"] == "system" %}{%- set sys = messages[0]["content"] %}{%- set loop_messages = messages[1:] %}{%- else %}{%- set loop_messages = messages %}{%- endif %}
{%- if not tools is defined %}{%- set tools = [] %}{%- endif %}
{%- if sys is defined %}{{- "<|im_start|>system\n" + sys }}{%- elif tools is iterable and tools | length > 0 %}{{- "<|im_start|>system\nYou use tools." }}{%- endif %}
{%- if tools is iterable and tools | length > 0 %}
    {{- "\n\n<tools>" }}
    {%- for tool in tools %}
        {%- if tool.function is defined %}{%- set tool = tool.function %}{%- endif %}
        {{- "\n<function>\n<name>" ~ tool.name ~ "</name>" }}
        {%- if tool.description is defined %}{{- '\n<description>' ~ (tool.description | trim) ~ '</description>' }}{%- endif %}
        {%- if tool.parameters is defined and tool.parameters is mapping and tool.parameters.properties is defined and tool.parameters.properties is mapping %}
            {%- for name, fields in tool.parameters.properties|items %}
                {{- '\n<parameter>\n<name>' ~ name ~ '</name>' }}
                {%- if fields.type is defined %}{{- '\n<type>' ~ (fields.type | string) ~ '</type>' }}{%- endif %}
                {{- keys(fields, ['name', 'type', 'description']) }}
                {{- '\n</parameter>' }}
            {%- endfor %}
        {%- endif %}
        {{- keys(tool.parameters, ['type', 'properties']) }}
        {{- '\n</function>' }}
    {%- endfor %}
    {{- "\n</tools>" }}
{%- endif %}
{%- for m in loop_messages %}
    {%- if m.role == "assistant" and m.tool_calls is defined and m.tool_calls is iterable and m.tool_calls | length > 0 %}
        {{- '<|im_start|>' + m.role }}
        {%- if m.content is defined and m.content is string and m.content | trim | length > 0 %}{{- '\n' + m.content | trim + '\n' }}{%- endif %}
        {%- for c in m.tool_calls %}
            {%- if c.function is defined %}{%- set c = c.function %}{%- endif %}
            {{- '\n<tool_call>\n<function=' + c.name + '>\n' }}
            {%- if c.arguments is mapping %}{%- for k, v in c.arguments|items %}{{- '<parameter=' + k + '>\n' }}{%- set v = v | tojson | safe if v is mapping or (v is sequence and v is not string) else v | string %}{{- v }}{{- '\n</parameter>\n' }}{%- endfor %}{%- endif %}
            {{- '</function>\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif m.role in ["user", "system", "assistant"] %}
        {{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}
    {%- elif m.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}{{- '<|im_start|>user\n' }}{%- endif %}
        {{- '<tool_response>\n' ~ m.content ~ '\n</tool_response>\n' }}
        {%- if not loop.last and loop.nextitem.role != "tool" %}{{- '<|im_end|>\n' }}{%- elif loop.last %}{{- '<|im_end|>\n' }}{%- endif %}
    {%- else %}
        {{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"""
DEEPSEEK = r"""{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true) %}{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}{% set ns.system_prompt = ns.system_prompt + '\n\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and 'tool_calls' in message %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls'] %}{%- if not ns.is_first %}{%- if message['content'] is none or not message['content'] %}{{'<｜Assistant｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>' + tool['function']['name'] + '\n' + '```json' + '\n' + tool['function']['arguments'] | string + '\n' + '```' + '<｜tool▁call▁end｜>'}}{%- else %}{{'<｜Assistant｜>' + message['content'] + '<｜tool▁calls▁begin｜>' + tool['function']['name']}}{%- endif %}{%- set ns.is_first = true -%}{%- else %}{{'\n' + '<｜tool▁call▁begin｜>' + tool['function']['name']}}{%- endif %}{%- endfor %}{{'<｜tool▁calls▁end｜><｜end▁of▁sentence｜>'}}{%- endif %}{%- if message['role'] == 'assistant' and 'tool_calls' not in message %}{%- if ns.is_tool %}{{'<｜tool▁outputs▁end｜>' + message['content'] + '<｜end▁of▁sentence｜>'}}{%- set ns.is_tool = false -%}{%- else %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{%- if ns.is_output_first %}{{'<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>' + message['content'] | string + '<｜tool▁output▁end｜>'}}{%- set ns.is_output_first = false %}{%- else %}{{'\n<｜tool▁output▁begin｜>' + message['content'] | string + '<｜tool▁output▁end｜>'}}{%- endif %}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'<｜tool▁outputs▁end｜>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜>PROMPT'}}{% endif %}"""
FAMILIES["deepseek_v3"] = DEEPSEEK.replace("PROMPT", "")
FAMILIES["deepseek_r1"] = DEEPSEEK.replace("PROMPT", "<think>\\n")
FAMILIES["deepseek_v2"] = "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ 'User: ' + m['content'] + '\n\n' }}{% elif m['role'] == 'assistant' %}{{ 'Assistant: ' + m['content'] + eos_token }}{% elif m['role'] == 'system' %}{{ m['content'] + '\n\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
FAMILIES["gemma"] = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
FAMILIES["gemma3"] = r"""{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set prefix = messages[0]['content'] + '\n\n' -%}
    {%- else -%}
        {%- set prefix = messages[0]['content'][0]['text'] + '\n\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + (prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\n'}}
{%- endif -%}
"""
FAMILIES["phi4_mini"] = "{% for m in messages %}{% if m['role'] == 'system' and 'tools' in m and m['tools'] is not none %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|tool|>' + m['tools'] + '<|/tool|>' + '<|end|>' }}{% else %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"
FAMILIES["command_r"] = r"""{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set sys = messages[0]['content'] %}{% else %}{% set rest = messages %}{% set sys = 'You are C.' %}{% endif %}{{ '<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>' + sys }}
{%- if documents %}{{ '\n<results>' }}{% for document in documents %}{{ '\nDocument: ' }}{{ loop.index0 }}
{% for key, value in document.items() %}{{ key }}: {{value}}
{% endfor %}{% endfor %}{{ '</results>' }}{% endif %}{{ '<|END_OF_TURN_TOKEN|>' }}
{%- for m in rest %}{% set content = m['content'] %}{% if m['role'] == 'user' %}{{ '<|START_OF_TURN_TOKEN|><|USER_TOKEN|>' + content.strip() + '<|END_OF_TURN_TOKEN|>' }}{% elif m['role'] == 'assistant' %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' + content.strip() + '<|END_OF_TURN_TOKEN|>' }}{% endif %}{% endfor %}
{%- if citation_mode is defined and citation_mode == 'accurate' %}{{ 'Cite with <co: doc> marks.' }}{% endif %}{% if add_generation_prompt %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{% endif %}"""
FAMILIES["command_r_tools"] = r"""{{ bos_token }}
{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if json_spec.type is string and basic_type_map[json_spec.type] is defined %}
    {{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}
    {{- "List[" + json_to_python_type(json_spec['items']) + "]" }}
{%- elif json_spec.type == "object" %}
    {{- "Dict" }}
{%- elif json_spec.type is iterable and json_spec.type is not string %}
    {{- "Union[" }}
    {%- for t in json_spec.type %}
        {{- json_to_python_type({"type": t}) }}
        {%- if not loop.last %}{{- "," }}{%- endif %}
    {%- endfor %}
    {{- "]" }}
{%- else %}
    {{- "Any" }}
{%- endif %}
{%- endmacro %}
{%- macro tool_parser(tools) %}
{%- for tool in tools %}
    {%- if tool['type'] is not defined or tool['type'] == "function" %}{%- set tool = tool['function'] %}{%- endif %}
    {%- set ns = namespace(params=[]) %}
    {{- "\n\ndef " + tool['name'] + "(" }}
    {%- for name, f in tool.parameters.properties.items() %}
        {%- set ns.params = ns.params + [name + ": " + (json_to_python_type(f) if name in tool.parameters.required else "Optional[" + json_to_python_type(f) + "] = None")] %}
    {%- endfor %}
    {{- ns.params|join(", ") }}{{- ") -> List[Dict]:\n    \"\"\"" }}{{- tool.description }}
    {%- for name, f in tool.parameters.properties.items() %}
        {%- if loop.first %}{{- "\n\n    Args:" }}{%- endif %}
        {{- "\n        " + name + " (" + json_to_python_type(f) + "): " ~ (f.description|default("")) }}
    {%- endfor %}
    {{- "\n    \"\"\"\n    pass" }}
{%- endfor %}
{%- endmacro %}
{%- if messages[0]['role'] == 'system' %}{%- set loop_messages = messages[1:] %}{%- set sys = messages[0]['content'] %}{%- else %}{%- set loop_messages = messages %}{%- set sys = 'Tools help.' %}{%- endif %}
{{- '<|SYSTEM|>' ~ sys ~ '\n```python' ~ tool_parser(tools or []) ~ '\n```<|END|>' }}
{%- for message in loop_messages %}
    {%- set content = message['content'] %}
    {%- if message.role == 'user' %}{{- '<|USER|>' ~ content ~ '<|END|>' }}
    {%- elif message.role == 'assistant' and message.tool_calls is defined %}
        {{- '<|CHATBOT|>' ~ (message.content or '') ~ 'Action: ```json\n[\n' }}
        {%- for c in message.tool_calls %}{{- {"tool_name": c.function.name, "parameters": c.function.arguments}|tojson|indent(4, first=true) }}{% if not loop.last %}{{ ',\n' }}{% endif %}{%- endfor %}
        {{- '\n]```<|END|>' }}
    {%- elif message.role == 'assistant' %}{{- '<|CHATBOT|>' ~ content ~ '<|END|>' }}
    {%- elif message.role == 'tool' %}{{- '<results>\n' ~ content ~ '</results>' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|CHATBOT|>' }}{%- endif %}"""
FAMILIES["functionary"] = FAMILIES["command_r_tools"].replace('"str"', '"string"').replace("def ", "type ").replace("<|SYSTEM|>", "<|start_header_id|>system<|end_header_id|>\\n\\n")
FAMILIES["granite"] = r"""{%- if tools %}{{- '<|start_of_role|>available_tools<|end_of_role|>\n' }}{%- for tool in tools %}{{- tool | tojson(indent=4) }}{%- if not loop.last %}{{- '\n\n' }}{%- endif %}{%- endfor %}{{- '<|end_of_text|>\n' }}{%- endif %}
{%- if documents %}{{- '<|start_of_role|>documents<|end_of_role|>\n' }}{%- for d in documents %}{{- 'Document ' ~ loop.index ~ '\n' ~ d['text'] ~ ('\n\n' if not loop.last else '') }}{%- endfor %}{{- '<|end_of_text|>\n' }}{%- endif %}
{%- if controls is defined and 'length' in controls %}{{- controls | tojson ~ '\n' }}{%- endif %}
{%- for message in messages %}{%- if message['role'] == 'system' %}{{- '<|start_of_role|>system<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}{%- elif message['role'] == 'user' %}{{- '<|start_of_role|>user<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}{%- elif message['role'] == 'assistant' %}{{- '<|start_of_role|>assistant<|end_of_role|>' ~ message['content'] ~ '<|end_of_text|>\n' }}{%- elif message['role'] == 'tool' %}{{- '<|start_of_role|>tool_response<|end_of_role|>' ~ message['content'] ~ '<|end_of_text|>\n' }}{%- endif %}{%- if loop.last and add_generation_prompt %}{{- '<|start_of_role|>assistant<|end_of_role|>' }}{%- endif %}{%- endfor %}"""
FAMILIES["gpt_oss"] = r"""{%- macro render_typescript_type(spec, required=[], is_nullable=false) -%}
    {%- if spec.type == "array" -%}
        {%- if spec['items'] -%}{{- render_typescript_type(spec['items'], required) + "[]" }}{%- else -%}{{- "any[]" }}{%- endif -%}
    {%- elif spec.type is defined and spec.type is iterable and spec.type is not string and spec.type is not mapping and spec.type[0] is defined -%}
        {{- spec.type | join(" | ") }}
    {%- elif spec.oneOf or spec.anyOf -%}
        {%- for v in (spec.oneOf or spec.anyOf) -%}{{- render_typescript_type(v, required) }}{%- if not loop.last %}{{- " | " }}{% endif -%}{%- endfor -%}
    {%- elif spec.type == "string" -%}
        {%- if spec.enum -%}{{- '"' + spec.enum|join('" | "') + '"' -}}{%- else -%}{{- "string" }}{%- endif -%}
    {%- elif spec.type in ["number", "integer"] -%}{{- "number" }}
    {%- elif spec.type == "object" and spec.properties -%}
        {{- "{\n" }}{%- for name, p in spec.properties.items() -%}{{- name }}{%- if name not in (spec.required or []) -%}{{- "?" }}{%- endif -%}{{- ": " }}{{ render_typescript_type(p, spec.required or []) }}{%- if not loop.last -%}{{- ", " }}{%- endif -%}{%- endfor -%}{{- "}" }}
    {%- else -%}{{- "any" }}{%- endif -%}
{%- endmacro -%}
{%- set has_tools = tools is defined and tools -%}
{{- "<|start|>system<|message|>" ~ (model_identity if model_identity is defined else "You are G.") ~ "\nCurrent date: " ~ strftime_now("%Y-%m-%d") ~ "\n\nReasoning: " ~ (reasoning_effort|default("medium")) ~ "<|end|>" }}
{%- if messages[0].role == "developer" or messages[0].role == "system" %}{%- set dev = messages[0].content %}{%- set loop_messages = messages[1:] %}{%- else %}{%- set dev = "" %}{%- set loop_messages = messages %}{%- endif %}
{%- if dev or has_tools %}{{- "<|start|>developer<|message|>" }}{%- if dev %}{{- "# Instructions\n\n" ~ dev }}{%- endif %}
{%- if has_tools %}{{- "\n\n# Tools\n\nnamespace functions {\n" }}{%- for tool in tools %}{%- set tool = tool.function %}{{- "// " + tool.description + "\ntype " + tool.name + " = " }}{%- if tool.parameters and tool.parameters.properties %}{{- "(_: " ~ render_typescript_type(tool.parameters) ~ ") => any;\n" }}{%- else %}{{- "() => any;\n" }}{%- endif %}{%- endfor %}{{- "}" }}{%- endif %}{{- "<|end|>" }}{%- endif %}
{%- set last_tool_call = namespace(name=none) %}
{%- for message in loop_messages -%}
    {%- if message.role == 'assistant' -%}
        {%- if "content" in message and "thinking" in message and "<|channel|>" in message.thinking %}{{- raise_exception("no tags in thinking") }}{%- endif %}
        {%- if message.tool_calls %}
            {%- set c = message.tool_calls[0].function %}
            {%- if message.thinking %}{{- "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}{%- endif %}
            {{- "<|start|>assistant to=functions." ~ c.name ~ "<|channel|>commentary json<|message|>" ~ c.arguments|tojson ~ "<|call|>" }}
            {%- set last_tool_call.name = c.name %}
        {%- elif loop.last and not add_generation_prompt %}
            {%- if "thinking" in message %}{{- "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}{%- endif %}
            {{- "<|start|>assistant<|channel|>final<|message|>" ~ message.content ~ "<|return|>" }}
        {%- else %}
            {{- "<|start|>assistant<|channel|>final<|message|>" ~ message.content ~ "<|end|>" }}
            {%- set last_tool_call.name = none %}
        {%- endif %}
    {%- elif message.role == 'tool' -%}
        {%- if last_tool_call.name is none %}{{- raise_exception("a result without a call") }}{%- endif %}
        {{- "<|start|>functions." ~ last_tool_call.name ~ " to=assistant<|channel|>commentary<|message|>" ~ message.content|tojson ~ "<|end|>" }}
    {%- elif message.role == 'user' -%}
        {{- "<|start|>user<|message|>" ~ message.content ~ "<|end|>" }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}"""
FAMILIES["glm4"] = r"""[gMASK]<sop>
{%- if tools %}{{- '<|system|>\n# Tools\n' }}{%- for tool in tools %}{{- '\n## ' ~ tool.function.name ~ '\n\n' ~ tool.function | tojson(indent=4, ensure_ascii=False) }}{%- endfor %}{%- endif %}
{%- macro visible_text(content) -%}{%- if content is string -%}{{- content }}{%- elif content is iterable and content is not mapping -%}{%- for item in content -%}{%- if item is mapping and item.type == 'text' -%}{{- item.text }}{%- elif item is string -%}{{- item }}{%- endif -%}{%- endfor -%}{%- else -%}{{- content }}{%- endif -%}{%- endmacro -%}
{%- set ns = namespace(last_user_index=-1) %}
{%- for m in messages %}{%- if m.role == 'user' %}{% set ns.last_user_index = loop.index0 -%}{%- endif %}{%- endfor %}
{% for m in messages %}
{%- if m.role == 'user' -%}<|user|>
{{ visible_text(m.content) }}
{{- '/nothink' if (enable_thinking is defined and not enable_thinking and not visible_text(m.content).endswith("/nothink")) else '' -}}
{%- elif m.role == 'assistant' -%}<|assistant|>
{%- set reasoning_content = '' %}{%- set content = visible_text(m.content) %}
{%- if m.reasoning_content is string %}{%- set reasoning_content = m.reasoning_content %}{%- elif '</think>' in content %}{%- set reasoning_content = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}{%- set content = content.split('</think>')[-1].lstrip('\n') %}{%- endif %}
{%- if loop.index0 > ns.last_user_index and reasoning_content -%}{{ '\n<think>' + reasoning_content.strip() + '</think>'}}{%- else -%}{{ '\n<think></think>' }}{%- endif -%}
{%- if content.strip() -%}{{ '\n' + content.strip() }}{%- endif -%}
{% if m.tool_calls %}{% for tc in m.tool_calls %}{%- if tc.function %}{%- set tc = tc.function %}{%- endif %}{{ '\n<tool_call>' + tc.name }}
{% set _args = tc.arguments %}{% for k, v in _args.items() %}<arg_key>{{ k }}</arg_key>
<arg_value>{{ v | tojson(ensure_ascii=False) if v is not string else v }}</arg_value>
{% endfor %}</tool_call>{% endfor %}{% endif %}
{%- elif m.role == 'tool' -%}{%- if m.content is string -%}{%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|observation|>' }}{%- endif %}{{- '\n<tool_response>\n' }}{{- m.content }}{{- '\n</tool_response>' }}{%- else -%}<|observation|>{% for tr in m.content %}

<tool_response>
{{ tr.output if tr.output is defined else tr }}
</tool_response>{% endfor -%}{% endif -%}
{%- elif m.role == 'system' -%}<|system|>
{{ visible_text(m.content) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{{- '\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' -}}{%- endif -%}"""
FAMILIES["kimi"] = r"""{%- if tools -%}<|im_system|>tool_declare<|im_middle|>{{ tools | tojson(separators=(',', ':')) }}<|im_end|>{%- endif -%}
{%- for message in messages -%}
  {%- if loop.first and messages[0]['role'] != 'system' -%}<|im_system|>system<|im_middle|>You are K.<|im_end|>{%- endif -%}
  {%- set name = message['name'] or message['role'] -%}
  {%- if message['role'] == 'user' -%}<|im_user|>{{name}}<|im_middle|>
  {%- elif message['role'] == 'assistant' -%}<|im_assistant|>{{name}}<|im_middle|>
  {%- else -%}<|im_system|>{{name}}<|im_middle|>
  {%- endif -%}
  {%- if message['role'] == 'assistant' and message.get('tool_calls') -%}
    {%- if message['content'] -%}{{ message['content'] }}{%- endif -%}<|tool_calls_section_begin|>
    {%- for c in message['tool_calls'] -%}<|tool_call_begin|>{{ c['id'] }}<|tool_call_argument_begin|>{% if c['function']['arguments'] is string %}{{ c['function']['arguments'] }}{% else %}{{ c['function']['arguments'] | tojson }}{% endif %}<|tool_call_end|>{%- endfor -%}<|tool_calls_section_end|>
  {%- elif message['role'] == 'tool' -%}## Return of {{ message.tool_call_id }}
{{ message['content'] }}
  {%- elif message['content'] is string -%}{{ message['content'] }}
  {%- elif message['content'] is not none -%}{% for content in message['content'] -%}{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}<|media_start|>image<|media_end|>{% else %}{{ content['text'] }}{%- endif -%}{%- endfor -%}
  {%- endif -%}
  <|im_end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_assistant|>assistant<|im_middle|>{%- endif -%}"""
FAMILIES["nemotron"] = r"""{%- set bos = "<|begin_of_text|>" -%}{%- set enable_thinking = enable_thinking if enable_thinking is defined else true -%}
{%- set ns = namespace(think=enable_thinking) -%}
{%- for m in messages -%}{%- if m['role'] == 'system' or m['role'] == 'user' -%}{%- if m['content'] is string -%}{%- if '/no_think' in m['content'] -%}{%- set ns.think = false -%}{%- elif '/think' in m['content'].replace('</think>', '') -%}{%- set ns.think = true -%}{%- endif -%}{%- endif -%}{%- endif -%}{%- endfor -%}
{{- bos -}}{%- for m in messages -%}{{- '<SPECIAL_1' ~ loop.index0 % 3 ~ '>' ~ m['role']|capitalize ~ '\n' -}}{%- if m['content'] is string -%}{{- m['content'].replace('/no_think', '').replace('/think', '').strip() -}}{%- endif -%}{{- '\n' -}}{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<SPECIAL_11>Assistant\n' ~ ('<think>\n' if ns.think else '<think></think>') -}}{%- endif -%}"""
FAMILIES["exaone"] = "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '[|system|][|endofturn|]\n' }}{% endif %}{{ '[|' + message['role'] + '|]' + message['content'] }}{% if message['role'] == 'user' %}{{ '\n' }}{% else %}{{ '[|endofturn|]\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '[|assistant|]' }}{% endif %}"
FAMILIES["aya"] = FAMILIES["command_r"].replace("You are C.", "")
FAMILIES["dbrx"] = "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set sys = messages[0]['content'] %}{% elif 'system' not in messages[0]['role'] %}{% set rest = messages %}{% set sys = 'You are D.' %}{% endif %}{% for message in rest %}{% if loop.index0 == 0 %}{% if sys != false %}{{ '<|im_start|>system\n' + sys | trim + '<|im_end|>\n'}}{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' }}{% else %}{{ '\n' + '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' }}{% endif %}{% if (add_generation_prompt == true and loop.last) %}{{ '\n' + '<|im_start|>' + 'assistant' + '\n' }}{% endif %}{% endfor %}"
FAMILIES["jamba"] = r"""{# J #}{{ bos_token if bos_token }}{% set ns = namespace(system="", i=0) %}{%- for message in messages -%}{%- if message.role == "system" -%}{%- set ns.system = ns.system ~ message.content|string ~ "\n" -%}{%- else -%}{%- break -%}{%- endif -%}{%- set ns.i = loop.index -%}{%- endfor -%}
{{- "<|bom|><|system|> " ~ ns.system|trim ~ "<|eom|>" if ns.system -}}
{%- for message in messages[ns.i:] -%}{%- if message.role not in ("user", "assistant", "tool") -%}{%- continue -%}{%- endif -%}{{- "<|bom|><|" ~ message.role ~ "|> " ~ (message.content if message.content is string else message.content|tojson) ~ "<|eom|>" -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- "<|bom|><|assistant|>" -}}{%- endif -%}"""
FAMILIES["firefunction"] = r"""{%- set message_roles = ['SYSTEM', 'FUNCTIONS', 'USER', 'ASSISTANT', 'TOOL'] -%}{%- set ns = namespace(seen_non_system=false, messages=messages, content='', functions=[]) -%}{{ bos_token }}
{%- if messages[0]['role'] | upper != 'SYSTEM' -%}{%- set ns.messages = [{'role': 'SYSTEM', 'content': 'You are F.'}] + messages -%}{%- endif -%}
{%- if tools is defined and tools -%}{%- set ns.functions = tools | map(attribute='function') | map(attribute='name') | list -%}{%- endif -%}
{%- for message in ns.messages -%}{%- set role = message['role'] | upper -%}{%- if role not in message_roles -%}{{ raise_exception('Invalid role ' + message['role'] + '. Only ' + message_roles | join(', ') + ' are supported.') }}{%- endif -%}{%- if not loop.first -%}{{ '<|eot_id|>' }}{%- endif -%}{%- set ns.content = message['content'] if message.get('content') is not none else '' -%}{%- if role == 'ASSISTANT' -%}{%- if 'tool_calls' in message -%}{%- set ns.content = ns.content + 'functools' + (message['tool_calls'] | map(attribute='function') | list | tojson) -%}{%- endif -%}{%- endif -%}{{ '<|start_header_id|>' + role | lower + '<|end_header_id|>\n\n' + ns.content | trim }}{%- if loop.first and ns.functions -%}{{ '\nFunctions: ' + ns.functions | join(' ') }}{%- endif -%}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif -%}"""
FAMILIES["saiga"] = "{% for message in messages %}{% set content = '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>' + '\n' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% filter trim %} {% if add_generation_prompt %} <|im_start|>assistant {% endif %} {% endfilter %}"
FAMILIES["internlm3"] = FAMILIES["internlm2"].replace("{% for m in rest %}", "{{ bos_token }}{% for m in rest if m.content is string %}")
FAMILIES["lfm2"] = r"""{{- bos_token -}}{%- set ns = namespace(sys="") -%}{%- if messages[0]["role"] == "system" -%}{%- set ns.sys = messages[0]["content"] -%}{%- set messages = messages[1:] -%}{%- endif -%}{%- if tools -%}{%- set ns.sys = ns.sys + ("\n" if ns.sys else "") + "List of tools: <|tool_list_start|>[" -%}{%- for tool in tools -%}{%- if tool is not string -%}{%- set tool = tool | tojson -%}{%- endif -%}{%- set ns.sys = ns.sys + tool -%}{%- if not loop.last -%}{%- set ns.sys = ns.sys + ", " -%}{%- endif -%}{%- endfor -%}{%- set ns.sys = ns.sys + "]<|tool_list_end|>" -%}{%- endif -%}{%- if ns.sys -%}{{- "<|im_start|>system\n" + ns.sys + "<|im_end|>\n" -}}{%- endif -%}{%- for m in messages -%}{{- "<|im_start|>" + m["role"] + "\n" -}}{%- set content = m["content"] -%}{%- if content is not string -%}{%- set content = content | tojson -%}{%- endif -%}{{- content + "<|im_end|>\n" -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- "<|im_start|>assistant\n" -}}{%- endif -%}"""
FAMILIES["seed_oss"] = r"""{%- macro py_type(t) -%}{%- if t == "string" -%}str{%- elif t in ("number", "integer") -%}int{%- else -%}Any{%- endif -%}{%- endmacro -%}{%- set budget = thinking_budget|default(-1) -%}{%- set reflections = {0: 0, 512: 128, 1024: 256} -%}{%- set tier = namespace(v=none) -%}{%- for k, v in reflections|dictsort -%}{%- if tier.v is none and budget <= k -%}{%- set tier.v = v -%}{%- endif -%}{%- endfor -%}{{ bos_token }}system
{% for tool in (tools or []) %}Function: def {{ tool.function.name }}({%- for k, p in tool.function.parameters.properties|dictsort %}{{ k }}: {{ py_type(p.type) }}{{ ", " if not loop.last }}{%- endfor %}){% endfor %}{{ tier.v }}{% for m in messages %}{{ bos_token + m["role"] }}
{{ (m.content|trim) if m.content is string else '' }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}{{ bos_token + "assistant\n" }}{% endif %}"""
