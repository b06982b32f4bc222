/** The page a browser ends at when the app named no address: the app watches the browser, the person reads this. */
import { html } from '../pages/html.ts';
import type { View } from '../pages/layout.ts';
import type { Locale } from '../pages/locale.ts';
import { allCodes } from './words.ts';

const texts = {
  en: {
    done: ['You are signed in', 'You can go back to the app.'],
    failed: ['You are not signed in', 'Go back to the app and try again.'],
    reason: 'Reason',
  },
  ja: {
    done: ['サインインしました', 'アプリに戻ってください。'],
    failed: ['サインインできませんでした', 'アプリに戻り、もう一度お試しください。'],
    reason: '理由',
  },
} as const satisfies Record<Locale, unknown>;

/** `message` is shown only if it is one of ours: anybody can write an address. */
export function landingView(locale: Locale, { result, message }: Readonly<Record<string, string | null>>): View {
  const t = texts[locale];
  if (result === 'success') {
    const [title, text] = t.done;
    return {
      title,
      body: html`<h1>${title}</h1>
<p class="muted">${text}</p>`,
    };
  }
  const [title, text] = t.failed;
  const reason = typeof message === 'string' && allCodes.has(message) ? message : undefined;
  return {
    title,
    failed: true,
    body: html`<h1>${title}</h1>
<p class="muted" role="alert">${text}</p>
${reason !== undefined && html`<p class="reference">${t.reason}: <code>${reason}</code></p>`}`,
  };
}
