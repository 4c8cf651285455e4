// A field whose text is the person's until it is left or Enter is pressed. The page may be drawn again
// meanwhile, because an answer came; what is being written stays.
import { useEffect, useState } from 'preact/hooks';

interface Props {
  id?: string;
  class?: string;
  value: string;
  label?: string;
  placeholder?: string;
  list?: string;
  mode?: 'text' | 'numeric' | 'decimal';
  disabled?: boolean;
  onCommit: (text: string) => void;
}

export function Typed({ id, class: name, value, label, placeholder, list, mode = 'text', disabled, onCommit }: Props) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const commit = () => {
    if (text !== value) onCommit(text);
  };
  const rest = { ...(id ? { id } : {}), ...(label ? { 'aria-label': label } : {}), ...(placeholder ? { placeholder } : {}) };
  const common = { ...rest, class: name ?? '', value: text, disabled: disabled === true, inputMode: mode, spellcheck: false, autocomplete: 'off', onInput: (e: { currentTarget: HTMLInputElement }) => setText(e.currentTarget.value), onBlur: commit, onKeyDown: (e: KeyboardEvent) => { if (e.key === 'Enter') commit(); } } as const;
  return list ? <input {...common} list={list} /> : <input {...common} />;
}
