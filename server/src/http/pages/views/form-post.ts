import { formPostScript } from '../assets.ts';
import { hiddenField } from '../fields.ts';
import { html } from '../html.ts';
import type { View } from '../layout.ts';
import { hostOf } from '../links.ts';
import type { Messages } from '../messages/en.ts';

/** Sends an authorization response on by POST (OAuth 2.0 Form Post Response Mode). */
export function formPostView(
  t: Messages,
  { redirectUri, parameters }: { redirectUri: string; parameters: Readonly<Record<string, string>> },
): View {
  const title = t.formPostTitle(hostOf(redirectUri) ?? redirectUri);
  return {
    title,
    script: formPostScript.url,
    body: html`<h1>${title}</h1>
<p class="muted">${t.formPostText}</p>
<form method="post" action="${redirectUri}">
${Object.entries(parameters).map(hiddenField)}<button type="submit">${t.continue}</button>
</form>`,
  };
}
