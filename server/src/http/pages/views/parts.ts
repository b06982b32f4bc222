/** What several views show: an application, a person, times, links. */
import { type Html, html } from '../html.ts';
import { hostOf, isImage, link } from '../links.ts';
import type { Messages } from '../messages/en.ts';

/** The application that asks. */
export interface ClientShown {
  readonly name: string;
  readonly logoUri?: string | undefined;
  readonly clientUri?: string | undefined;
  readonly policyUri?: string | undefined;
  readonly tosUri?: string | undefined;
}

/** The person it is about, as people know themselves. */
export interface PersonShown {
  readonly name: string | null;
  readonly email: string | null;
  readonly username: string | null;
  readonly phone: string | null;
}

/** What a person signs in with: the first of their identities. */
export const identifierOf = (person: PersonShown): string => person.email ?? person.username ?? person.phone ?? '';

/** How a person is called: the name, else what they sign in with. */
export const personName = (person: PersonShown): string => person.name ?? identifierOf(person);

/** The person's name and, when it says more, what they sign in with. */
export function personCard(t: Messages, person: PersonShown): Html {
  const identifier = identifierOf(person);
  const also = person.name !== null && identifier !== '' && person.name !== identifier;
  return html`<div class="person">
<p>${t.signedInAs(personName(person))}</p>
${also && html`<p class="muted small">${identifier}</p>`}
</div>`;
}

/** Logo, or first letter, and name of an application with its website. */
export function clientCard({ name, logoUri, clientUri }: ClientShown): Html {
  const host = hostOf(clientUri);
  const picture = isImage(logoUri)
    ? html`<img src="${logoUri}" alt="" width="48" height="48" referrerpolicy="no-referrer">`
    : html`<span class="letter" aria-hidden="true">${[...name.trim()][0]?.toUpperCase()}</span>`;
  return html`<div class="client">
${picture}
<div>
<p><strong>${name}</strong></p>
${host !== undefined && html`<p class="muted small">${link(clientUri, host)}</p>`}
</div>
</div>`;
}

/** A wait in words, rounded up: seconds below two minutes, then minutes. */
export const waitText = (t: Messages, seconds: number): string =>
  seconds < 120 ? t.seconds(Math.max(1, Math.ceil(seconds))) : t.minutes(Math.ceil(seconds / 60));

/** A page that says something and asks for nothing. */
export const notice = (title: string, text: string): Html => html`<h1>${title}</h1>
<p class="muted">${text}</p>`;
