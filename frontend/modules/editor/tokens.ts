// The colours of a strategy file: keys of YAML, and the expression language in their values. It is a
// reader of lines for colours only; what a file means is asked of the server.
import type { StreamParser, StringStream } from '@codemirror/language';

interface State {
  flow: number; // depth of { and [
  value: boolean; // behind the colon of a key
  block: number; // indentation of the key whose block text (|, >) this is, -1 outside
}

const words = /^(and|or|not|step|true|false|none|null)\b/;
const columns = /^(open|high|low|close|volume|dollar_volume|entry_price|bars_held|high_since|low_since|equity|cash|position)\b(?!\s*[:(])/;

export const tokens: StreamParser<State> = {
  name: 'strategy',
  startState: () => ({ flow: 0, value: false, block: -1 }),
  copyState: (s) => ({ ...s }),
  token(stream, state) {
    if (stream.sol()) {
      if (state.flow === 0) state.value = false;
      if (state.block >= 0 && !stream.match(/^\s*$/, false)) {
        if (stream.indentation() > state.block) {
          stream.skipToEnd();
          return 'string';
        }
        state.block = -1;
      }
    }
    if (stream.eatSpace()) return null;
    return word(stream, state);
  },
  languageData: { commentTokens: { line: '#' }, closeBrackets: { brackets: ['(', '[', '{', '"'] } },
};

function word(stream: StringStream, state: State): string | null {
  const before = stream.pos === 0 ? ' ' : stream.string.charAt(stream.pos - 1);
  if (stream.peek() === '#' && /\s/.test(before)) {
    stream.skipToEnd();
    return 'comment';
  }
  if (stream.match(/^"(\\.|[^"\\])*"?/) || stream.match(/^'(''|[^'])*'?/)) return 'string';
  if ((!state.value || state.flow > 0) && stream.match(/^[A-Za-z_][\w-]*(?=\s*:(\s|$))/)) return 'propertyName';
  if (stream.match(/^:(?=\s|$)/)) {
    state.value = true;
    const rest = stream.string.slice(stream.pos);
    if (/^\s*[|>][+-]?\s*$/.test(rest)) state.block = stream.indentation();
    return 'punctuation';
  }
  if (stream.match(/^\d{4}-\d\d-\d\d/)) return 'literal';
  if (stream.match(/^\d[\d_]*(\.(?!\.)\d+)?([eE][+-]?\d+)?/)) return 'number';
  if (stream.match(words)) return 'keyword';
  if (stream.match(columns)) return 'variableName.special';
  if (stream.match(/^[A-Za-z_]\w*(?=\()/)) return 'variableName.function';
  if (stream.match(/^[A-Za-z_][\w-]*/)) return 'variableName';
  if (stream.match(/^(<=|>=|==|!=|\.\.|[<>+\-*/%=])/)) return 'operator';
  const c = stream.next();
  if (c === '{' || c === '[') state.flow++;
  if (c === '}' || c === ']') state.flow = Math.max(0, state.flow - 1);
  if (c === ',' && state.flow > 0) return 'punctuation';
  return 'bracket';
}
