/** The parts that forms are made of. */
import { type Html, html } from './html.ts';
import type { Messages } from './messages/en.ts';

/** Where a form goes, and the token that shows it is ours (`csrf.ts`). */
export interface FormTarget {
  readonly action: string;
  readonly token: string;
  /** What the form carries along, beside its token. */
  readonly fields?: Readonly<Record<string, string>>;
}

export const form = ({ action, token, fields = {} }: FormTarget, content: Html): Html =>
  html`<form method="post" action="${action}">
${Object.entries({ csrf: token, ...fields }).map(hiddenField)}
${content}
</form>`;

export const hiddenField = ([name, value]: readonly [string, string]): Html =>
  html`<input type="hidden" name="${name}" value="${value}">
`;

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'email' | 'password';
  /** What browsers and password managers may fill in (HTML, autofill field names). */
  readonly autocomplete: string;
  readonly value?: string | undefined;
  readonly hint?: string | undefined;
  /** What is wrong with it. */
  readonly problem?: string | undefined;
  /** Id of a message elsewhere on the page that is about it. */
  readonly describedBy?: string | undefined;
  readonly optional?: boolean;
  readonly readOnly?: boolean;
  readonly focused?: boolean;
  /** Not for passwords: what a browser cuts off when it is pasted is cut off without a word. */
  readonly maxLength?: number;
  readonly className?: string;
}

/** A labelled input, with its hint and its problem where a screen reader finds them. */
export function field(t: Messages, input: Field): Html {
  const { name, hint, problem, type = 'text' } = input;
  const described = [input.describedBy, problem && `${name}-problem`, hint && `${name}-hint`].filter(Boolean).join(' ');
  // A name or code is no sentence: nothing to capitalize or to correct.
  const verbatim = type !== 'password' && input.autocomplete !== 'name';
  return html`<div class="field">
<label for="${name}">${input.label}${input.optional && html` <span class="muted">(${t.optional})</span>`}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${input.autocomplete}"
${input.maxLength !== undefined && html` maxlength="${input.maxLength}"`}
${input.value !== undefined && html` value="${input.value}"`}
${input.className !== undefined && html` class="${input.className}"`}
${verbatim && html` autocapitalize="none" spellcheck="false"`}
${described !== '' && html` aria-describedby="${described}"`}
${(problem !== undefined || input.describedBy !== undefined) && html` aria-invalid="true"`}
${!input.optional && html` required`}
${input.readOnly && html` readonly`}
${input.focused && html` autofocus`}>
${problem !== undefined && html`<p class="wrong" role="alert" id="${name}-problem">${problem}</p>`}
${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}
</div>`;
}

/** What went wrong, said at once by a screen reader; nothing when nothing did. */
export const alert = (problem: string | undefined): Html | undefined =>
  problem === undefined ? undefined : html`<p class="alert" role="alert" id="problem">${problem}</p>`;

/** Id of `alert`, for the fields it is about. */
export const alertId = 'problem';
