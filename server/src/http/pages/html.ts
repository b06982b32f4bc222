/** Markup that escapes what is put into it: text can not become markup by being forgotten. */

/** Markup. Only `html` makes it, so whatever is not it gets escaped. */
export class Html {
  readonly #text: string;

  constructor(key: typeof onlyHere, text: string) {
    if (key !== onlyHere) throw new Error('Markup is made by html`…`.');
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

const onlyHere = Symbol('html');

/** What a template takes: nothing for undefined and false, lists one after the other, anything else as text. */
export type Value = Html | string | number | undefined | false | readonly Value[];

/**
 * The tag of markup. Values stand between tags or inside quoted attributes, nowhere else: there the five characters of
 * HTML are all that could end the place they stand in.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = strings[0] as string;
  for (const [index, value] of values.entries()) text += rendered(value) + strings[index + 1];
  return new Html(onlyHere, text);
}

function rendered(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  return Array.isArray(value) ? value.map(rendered).join('') : escaped(String(value));
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string =>
  text.toWellFormed().replace(/[&<>"']/g, (character) => escapes[character] as string);
