import { html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Messages } from '../messages/en.ts';

export interface ErrorData {
  readonly title: string;
  /** What happened. */
  readonly text: string;
  /** What to do. */
  readonly advice: string;
  /** What somebody who helps can look for in the logs. */
  readonly reference: string;
}

export const errorView = (t: Messages, { title, text, advice, reference }: ErrorData): View => ({
  title,
  failed: true,
  body: html`<h1>${title}</h1>
<div role="alert">
<p>${text}</p>
<p class="muted">${advice}</p>
</div>
<p class="reference">${t.errorReference}: <code>${reference}</code></p>`,
});
