import { type FormTarget, form } from '../fields.ts';
import { type Html, html } from '../html.ts';
import type { View } from '../layout.ts';
import { link } from '../links.ts';
import type { Locale } from '../locale.ts';
import type { Messages } from '../messages/en.ts';
import { scopeText } from '../messages/scopes.ts';
import { type ClientShown, clientCard, type PersonShown, personCard } from './parts.ts';

export interface ScopeShown {
  readonly name: string;
  readonly description?: string | null | undefined;
}

/** Scopes of OpenID Connect, and those of each API. */
export interface AskedFor {
  readonly scopes: readonly ScopeShown[];
  /** Without a name: what organizations themselves have. */
  readonly audiences: readonly { readonly name: string; readonly scopes: readonly ScopeShown[] }[];
}

export interface ConsentData extends AskedFor {
  readonly client: ClientShown;
  readonly person: PersonShown;
  /** Whom the page is shown to; the answer names it. */
  readonly userId: string;
  /** The organization it is for, when one was asked for. */
  readonly organization?: { readonly name: string } | undefined;
  /** The organizations that the person can let the application know of. */
  readonly organizations?: readonly { readonly id: string; readonly name: string }[] | undefined;
  /** Where the answer goes. */
  readonly returnsTo?: string | undefined;
  readonly target: FormTarget;
}

/** What the name of an organization's box begins with. */
export const organizationField = 'organization.';

/** Somebody else's application asks for access. */
export function consentView(t: Messages, locale: Locale, data: ConsentData): View {
  const { client, organizations = [], returnsTo } = data;
  const title = t.consentTitle(client.name);
  const links = [link(client.policyUri, t.policy), link(client.tosUri, t.terms)].filter((each) => each !== undefined);
  return {
    title,
    body: html`${clientCard(client)}
<h1>${title}</h1>
${personCard(t, data.person)}
<p>${t.consentText(client.name)}</p>
${askedFor(t, locale, data)}
${data.organization !== undefined && html`<p>${t.consentOrganization(data.organization.name)}</p>`}
${form(
  data.target,
  html`<input type="hidden" name="account" value="${data.userId}">
${organizations.length > 0 && organizationBoxes(t, organizations)}
<div class="buttons two">
<button type="submit" class="quiet" name="decision" value="deny">${t.deny}</button>
<button type="submit" name="decision" value="allow">${t.allow}</button>
</div>`,
)}
<p class="foot">${returnsTo !== undefined && t.consentReturn(returnsTo)}
${links.map((each, index) => [index > 0 && ' · ', each])}</p>`,
  };
}

/** Everything that was asked for, in words. */
export function askedFor(t: Messages, locale: Locale, { scopes, audiences }: AskedFor): Html {
  return html`${scopes.length > 0 && scopeList(scopes, locale)}
${audiences
  .filter((audience) => audience.scopes.length > 0)
  .map(
    (audience) => html`<h2>${audience.name === '' ? t.consentInOrganizations : t.consentApi(audience.name)}</h2>
${scopeList(audience.scopes, locale)}`,
  )}`;
}

const scopeList = (scopes: readonly ScopeShown[], locale: Locale): Html => html`<ul class="scopes">
${scopes.map((scope) => html`<li>${scopeText(scope, locale)}</li>`)}
</ul>`;

function organizationBoxes(t: Messages, organizations: NonNullable<ConsentData['organizations']>): Html {
  return html`<fieldset aria-describedby="organizations-hint">
<legend>${t.consentOrganizations}</legend>
<p class="hint" id="organizations-hint">${t.consentOrganizationsHint}</p>
${organizations.map(
  ({ id, name }) =>
    html`<label class="tick"><input type="checkbox" name="${organizationField}${id}" value="yes"><span>${name}</span></label>
`,
)}
</fieldset>`;
}
