/** Addresses that lead out of here, or bring a picture in. */
import { type Html, html } from './html.ts';

/** A link out of here; nothing for what is no web address. */
export function link(uri: string | undefined, text: string): Html | undefined {
  if (hostOf(uri) === undefined) return undefined;
  return html`<a href="${uri}" target="_blank" rel="noopener noreferrer">${text}</a>`;
}

/** The host of a web address; undefined for any other. */
export function hostOf(uri: string | undefined): string | undefined {
  if (uri === undefined || !URL.canParse(uri)) return undefined;
  const { protocol, host } = new URL(uri);
  return protocol === 'https:' || protocol === 'http:' ? host : undefined;
}

/** Images come over https or not at all: the pages' Content-Security-Policy lets nothing else in. */
export const isImage = (url: string | undefined): url is string =>
  hostOf(url) !== undefined && /^https:/i.test(url ?? '');
