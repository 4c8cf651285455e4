// The few parts that every view is made of.
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { type Problem, problemFrom } from '../api/problem';

type Children = { children?: ComponentChildren };

export function Card({ title, actions, children, class: name = '', intro, id }: Children & { title?: ComponentChildren; actions?: ComponentChildren; class?: string; intro?: ComponentChildren; id?: string }) {
  return (
    <section class={`card ${name}`} id={id}>
      {(title || actions) && (
        <div class="head">
          {title && <h2>{title}</h2>}
          {actions && <div class="actions">{actions}</div>}
        </div>
      )}
      {intro && <p class="intro">{intro}</p>}
      {children}
    </section>
  );
}

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon'> & { kind?: 'main' | 'quiet' | 'danger' | 'plain'; small?: boolean; busy?: boolean };

export function Button({ kind = 'plain', small, busy, class: name, children, disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} class={`button ${kind} ${small ? 'small' : ''} ${typeof name === 'string' ? name : ''}`} disabled={busy || disabled} aria-busy={busy}>
      {children}
    </button>
  );
}

export function LinkButton({ kind = 'plain', small, href, children, download }: Children & { kind?: 'main' | 'quiet' | 'plain'; small?: boolean; href: string; download?: boolean }) {
  return (
    <a class={`button ${kind} ${small ? 'small' : ''}`} href={href} download={download}>
      {children}
    </a>
  );
}

export function Field({ label, hint, error, children, class: name = '' }: { label: string; hint?: ComponentChildren; error?: string | undefined; class?: string; children: (id: string, describedBy: string) => ComponentChildren }) {
  const id = useId();
  return (
    <div class={`field ${name} ${error ? 'wrong' : ''}`}>
      <label for={id}>{label}</label>
      {children(id, `${id}-hint`)}
      {(hint || error) && (
        <small id={`${id}-hint`} class={error ? 'error' : ''}>
          {error ?? hint}
        </small>
      )}
    </div>
  );
}

/** A choice of few, all visible. */
export function Choice<T extends string>({ label, value, options, onChange, small }: { label: string; value: T; options: readonly (readonly [T, ComponentChildren])[]; onChange: (v: T) => void; small?: boolean }) {
  const name = useId();
  return (
    <fieldset class={`choice ${small ? 'small' : ''}`}>
      <legend class="unseen">{label}</legend>
      {options.map(([key, text]) => (
        <label key={key}>
          <input type="radio" name={name} checked={value === key} onChange={() => onChange(key)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Empty({ title, children, action }: Children & { title: string; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <h3>{title}</h3>
      <div class="prose">{children}</div>
      {action && <div class="actions">{action}</div>}
    </div>
  );
}

/** What went wrong and what to do about it. */
export function Trouble({ error, act, retry }: { error: unknown; act: string; retry?: (() => void) | undefined }) {
  const p: Problem = problemFrom(error);
  return (
    <div class="trouble" role="alert">
      <strong>{act}: {lower(p.title)}.</strong>
      {p.detail && <p>{p.detail}</p>}
      {p.faults.length > 0 && (
        <ul>
          {p.faults.slice(0, 12).map((f, i) => (
            <li key={i}>
              {f.line ? <code>{f.line}:{f.column ?? 1} </code> : f.pointer ? <code>{f.pointer} </code> : null}
              {f.message}
              {f.hint ? ` (${f.hint})` : ''}
            </li>
          ))}
          {p.faults.length > 12 && <li>and {p.faults.length - 12} more</li>}
        </ul>
      )}
      {p.cure && <p class="cure">{p.cure}</p>}
      {retry && <Button small onClick={retry}>Try again</Button>}
    </div>
  );
}

const lower = (s: string): string => (/^[A-Z][a-z]/.test(s) ? s.charAt(0).toLowerCase() + s.slice(1) : s).replace(/\.$/, '');

export function Loading({ what }: { what: string }) {
  return (
    <p class="loading" role="status">
      <span class="pulse" aria-hidden="true" /> {what}…
    </p>
  );
}

export function Bar({ value, label }: { value: number | null; label: string }) {
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (bar.current) bar.current.style.width = `${value === null ? 100 : Math.round(1000 * Math.min(1, Math.max(0, value))) / 10}%`;
  }, [value]);
  return (
    <div class={`progress ${value === null ? 'unknown' : ''}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} {...(value === null ? {} : { 'aria-valuenow': Math.round(100 * value) })}>
      <span ref={bar} />
    </div>
  );
}

export function Tag({ kind = '', children }: Children & { kind?: string }) {
  return <span class={`tag ${kind}`}>{children}</span>;
}

/** A dialog over the page; Escape and the backdrop close it. */
export function Dialog({ title, onClose, children, wide }: Children & { title: string; onClose: () => void; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const d = box.current;
    if (d && !d.open) d.showModal();
    return () => d?.close();
  }, []);
  return (
    <dialog
      ref={box}
      class={wide ? 'wide' : ''}
      aria-label={title}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
      onMouseDown={(e) => {
        if (e.target === box.current) onClose();
      }}
    >
      <div class="dialog">
        <div class="head">
          <h2>{title}</h2>
          <Button kind="quiet" small onClick={onClose} aria-label="Close">✕</Button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

/** Names with values, for settings and provenance. */
export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([k, v]) => (
        <div key={k}>
          <dt>{k}</dt>
          <dd>{v}</dd>
        </div>
      ))}
    </dl>
  );
}
