import { type FormTarget, form } from '../fields.ts';
import { type Html, html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Messages } from '../messages/en.ts';
import { notice, type PersonShown, personCard } from './parts.ts';

export interface SignOutData {
  readonly target: FormTarget;
  /** The application that asks, when it is known. */
  readonly client?: string | undefined;
  readonly person?: PersonShown | undefined;
  /** What the form carries along. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** Nobody is signed out by a link alone (OpenID Connect RP-Initiated Logout §2). */
export function signOutView(t: Messages, data: SignOutData): View {
  return {
    title: t.signOutTitle,
    body: html`<h1>${t.signOutTitle}</h1>
<p class="muted">${data.client === undefined ? t.signOutText : t.signOutOf(data.client)}</p>
${data.person !== undefined && personCard(t, data.person)}
${form(
  data.target,
  html`${Object.entries(data.fields ?? {}).map(hiddenField)}
<div class="buttons">
<button type="submit" name="decision" value="sign_out">${t.signOut}</button>
<button type="submit" class="quiet" name="decision" value="stay">${t.staySignedIn}</button>
</div>`,
)}`,
  };
}

const hiddenField = ([name, value]: [string, string]): Html =>
  html`<input type="hidden" name="${name}" value="${value}">`;

export const signedOutView = (t: Messages): View => ({
  title: t.signedOutTitle,
  body: notice(t.signedOutTitle, t.signedOutText),
});

export const staySignedInView = (t: Messages): View => ({
  title: t.stayedSignedInTitle,
  body: notice(t.stayedSignedInTitle, t.signedOutText),
});
