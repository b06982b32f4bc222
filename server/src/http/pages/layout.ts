/** What every page has around its view: the head, the tenant's name or logo, one landmark with the view in it. */
import { darkStyles, styles, themeUrl } from './assets.ts';
import type { Branding } from './branding.ts';
import { type Html, html } from './html.ts';
import { isImage, link } from './links.ts';
import { type Locale, messagesOf } from './locale.ts';
import type { Messages } from './messages/en.ts';
import { hexColor } from './theme.ts';

/** What fills a page: pure, made of texts and data. */
export interface View {
  readonly title: string;
  readonly body: Html;
  /** Something was refused; the title says so too, for whoever hears the page. */
  readonly failed?: boolean;
  /** A script of ours that the page uses when it may. */
  readonly script?: string;
}

export interface Frame {
  readonly branding: Branding;
  readonly locale: Locale;
}

/** The whole document. */
export function document({ branding, locale }: Frame, view: View): string {
  const title = view.failed ? messagesOf[locale].errorTitle(view.title) : view.title;
  return html`<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} – ${branding.name}</title>
<link rel="icon" href="${isImage(branding.faviconUrl) ? branding.faviconUrl : 'data:,'}">
<link rel="stylesheet" href="${styles.url}">
${branding.darkMode && html`<link rel="stylesheet" href="${darkStyles.url}" media="(prefers-color-scheme: dark)">`}
${theme(branding)}
${view.script !== undefined && html`<script src="${view.script}" defer></script>`}
</head>
<body>
<header class="brand">${brand(branding)}</header>
<main>
${view.body}
</main>
${links(branding, messagesOf[locale])}
</body>
</html>
`.toString();
}

function theme({ primaryColor, darkPrimaryColor, darkMode }: Branding): Html | undefined {
  const color = hexColor(primaryColor);
  if (color === undefined) return undefined;
  const darkColor = hexColor(darkPrimaryColor) ?? color;
  return html`<link rel="stylesheet" href="${themeUrl(color, darkMode ? darkColor : undefined)}">`;
}

function links({ termsUrl, privacyUrl, supportUrl }: Branding, t: Messages): Html | undefined {
  const all = [link(termsUrl, t.terms), link(privacyUrl, t.policy), link(supportUrl, t.support)];
  return all.some((each) => each !== undefined) ? html`<footer class="links">${all}</footer>` : undefined;
}

function brand({ name, logoUrl, darkLogoUrl, darkMode }: Branding): Html {
  if (!isImage(logoUrl)) return html`${name}`;
  const dark =
    darkMode && isImage(darkLogoUrl) && html`<source srcset="${darkLogoUrl}" media="(prefers-color-scheme: dark)">`;
  return html`<picture>${dark}<img src="${logoUrl}" alt="${name}" height="48" referrerpolicy="no-referrer"></picture>`;
}
