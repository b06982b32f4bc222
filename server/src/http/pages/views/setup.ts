import { alert, form } from '../fields.ts';
import { html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Messages } from '../messages/en.ts';
import { notice } from './parts.ts';
import { hasProblem, type NewAccountData, newAccountFields } from './sign-up.ts';

/** The first administrator makes an account; `link` is the secret of the link that was printed. */
export function setupView(t: Messages, data: NewAccountData & { link: string }): View {
  const link = html`<input type="hidden" name="token" value="${data.link}">`;
  return {
    title: t.setupTitle,
    failed: hasProblem(data),
    body: html`<h1>${t.setupTitle}</h1>
<p class="muted">${t.setupText}</p>
${alert(data.problem)}
${form(data.target, html`${link}${newAccountFields(t, data, 'email')}<button type="submit">${t.setup}</button>`)}`,
  };
}

export const setupDoneView = (t: Messages): View => ({
  title: t.setupDoneTitle,
  body: notice(t.setupDoneTitle, t.setupDoneText),
});
