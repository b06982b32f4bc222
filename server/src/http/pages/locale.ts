/** Which language a page is in. */
import { en, type Messages } from './messages/en.ts';
import { ja } from './messages/ja.ts';

export const messagesOf = { en, ja } as const satisfies Record<string, Messages>;

export type Locale = keyof typeof messagesOf;

export const locales = Object.keys(messagesOf) as readonly Locale[];

/** More than any browser sends; it bounds the work. */
const mostTags = 32;

/**
 * The first language of ours among those a request wants: `ui_locales` (OpenID Connect Core §3.1.2.1) before
 * Accept-Language (RFC 9110 §12.5.4), English when it wants none of them.
 */
export function chooseLocale(uiLocales: readonly string[], acceptLanguage: string | undefined): Locale {
  for (const tag of [...uiLocales.slice(0, mostTags), ...accepted(acceptLanguage ?? '')]) {
    const language = tag.toLowerCase().split('-')[0];
    const locale = locales.find((candidate) => candidate === language);
    if (locale !== undefined) return locale;
  }
  return 'en';
}

/** The languages of the header, best first; those of quality 0 are not wanted. */
function accepted(header: string): string[] {
  return header
    .split(',', mostTags)
    .map((entry) => {
      const [tag = '', ...parameters] = entry.split(';').map((part) => part.trim());
      const quality = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2);
      return { tag, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag);
}
