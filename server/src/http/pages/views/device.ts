import { type FormTarget, field, form } from '../fields.ts';
import { html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Locale } from '../locale.ts';
import type { Messages } from '../messages/en.ts';
import { type AskedFor, askedFor } from './consent.ts';
import { type ClientShown, clientCard, notice, type PersonShown, personCard } from './parts.ts';

/** Asks for the code that a device shows (RFC 8628 §3.3). */
export function deviceCodeView(
  t: Messages,
  data: { target: FormTarget; userCode?: string | undefined; problem?: string | undefined },
): View {
  const input = field(t, {
    name: 'user_code',
    label: t.deviceCode,
    autocomplete: 'off',
    value: data.userCode,
    problem: data.problem,
    maxLength: 32,
    className: 'code',
    focused: true,
  });
  return {
    title: t.deviceTitle,
    failed: data.problem !== undefined,
    body: html`<h1>${t.deviceTitle}</h1>
<p class="muted">${t.deviceText}</p>
${form(data.target, html`${input}<button type="submit">${t.continue}</button>`)}`,
  };
}

export interface DeviceConfirmData extends AskedFor {
  readonly client: ClientShown;
  readonly person: PersonShown;
  readonly userCode: string;
  /** Carries the code along, and for whom the page is shown. */
  readonly target: FormTarget;
}

/** Shows which device gets access, and asks once more: somebody may have sent the person here (RFC 8628 §5.4). */
export function deviceConfirmView(t: Messages, locale: Locale, data: DeviceConfirmData): View {
  const title = t.deviceConfirmTitle(data.client.name);
  const asks = data.scopes.length > 0 || data.audiences.some(({ scopes }) => scopes.length > 0);
  return {
    title,
    body: html`${clientCard(data.client)}
<h1>${title}</h1>
<p>${t.deviceConfirmText}</p>
<p class="shown-code">${data.userCode}</p>
${personCard(t, data.person)}
${asks && html`<p>${t.deviceAllows}</p>${askedFor(t, locale, data)}`}
${form(
  data.target,
  html`<div class="buttons two">
<button type="submit" class="quiet" name="decision" value="deny">${t.deviceDeny}</button>
<button type="submit" name="decision" value="allow">${t.deviceConnect}</button>
</div>`,
)}`,
  };
}

/** The device was let in, or was not. */
export function deviceDoneView(t: Messages, connected: boolean): View {
  const [title, text] = connected
    ? [t.deviceConnectedTitle, t.deviceConnectedText]
    : [t.deviceDeniedTitle, t.deviceDeniedText];
  return { title, body: notice(title, text) };
}
