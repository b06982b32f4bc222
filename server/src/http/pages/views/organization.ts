import { type FormTarget, form } from '../fields.ts';
import { html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Messages } from '../messages/en.ts';

export interface OrganizationData {
  readonly client: string;
  readonly organizations: readonly { readonly id: string; readonly name: string }[];
  readonly target: FormTarget;
  readonly cancel: FormTarget;
}

/** In which organization does the person work now? */
export function organizationView(t: Messages, data: OrganizationData): View {
  const choices = data.organizations.map(
    ({
      id,
      name,
    }) => html`<li><button type="submit" class="quiet" name="organization" value="${id}">${name}</button></li>
`,
  );
  return {
    title: t.organizationTitle,
    body: html`<h1>${t.organizationTitle}</h1>
<p class="muted">${t.organizationText(data.client)}</p>
${form(data.target, html`<ul class="choices">${choices}</ul>`)}
${form(data.cancel, html`<button type="submit" class="plain">${t.cancel}</button>`)}`,
  };
}
