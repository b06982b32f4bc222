import { type FormTarget, form } from '../fields.ts';
import { html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Messages } from '../messages/en.ts';
import { identifierOf, type PersonShown, personCard, personName } from './parts.ts';

export interface AccountData {
  readonly client: string;
  readonly person: PersonShown;
  readonly target: FormTarget;
  readonly cancel: FormTarget;
  /** Where somebody else signs in. */
  readonly otherUrl: string;
}

/** Somebody is signed in: is it whom the application should get? */
export function accountView(t: Messages, data: AccountData): View {
  const name = personName(data.person) || identifierOf(data.person);
  return {
    title: t.accountTitle,
    body: html`<h1>${t.accountTitle}</h1>
<p class="muted">${t.toContinueTo(data.client)}</p>
${personCard(t, data.person)}
${form(
  data.target,
  html`<div class="buttons">
<button type="submit">${t.continueAs(name)}</button>
<a class="button quiet" href="${data.otherUrl}">${t.otherAccount}</a>
</div>`,
)}
${form(data.cancel, html`<button type="submit" class="plain">${t.cancel}</button>`)}`,
  };
}
