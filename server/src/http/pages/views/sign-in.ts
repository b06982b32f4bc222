import { alert, alertId, type FormTarget, field, form } from '../fields.ts';
import { type Html, html } from '../html.ts';
import type { View } from '../layout.ts';
import type { Messages } from '../messages/en.ts';
import { identifierOf, notice, type PersonShown } from './parts.ts';

/** Longer than any identity that can be. */
const longest = 256;

/** The form that is open. */
export interface SignInForm {
  readonly target: FormTarget;
  /** What it is called; undefined where it needs no name. */
  readonly title?: string | undefined;
  /** The name is one of ours, or one that only a directory knows. */
  readonly nameOf: 'user' | 'directory';
  /** The name first, the name and the password, or the password of a name that was given. */
  readonly asksFor: 'name' | 'both' | 'password';
  /** The problem is about what was typed. */
  readonly isWrong?: boolean;
}

/** Ways to sign in beside the form that is open. */
export interface OtherWays {
  /** Other forms; without a title it is that of the built-in password. */
  readonly forms: readonly { readonly url: string; readonly title: string | undefined }[];
  /** Where the buttons below go, with the policy that is chosen. */
  readonly target: FormTarget;
  readonly redirects: readonly { readonly policyId: string; readonly title: string }[];
}

export interface SignInData {
  readonly client: string;
  /** Absent where no form is offered. */
  readonly form?: SignInForm | undefined;
  readonly others?: OtherWays | undefined;
  /** Absent where there is nothing to go back to. */
  readonly cancel?: FormTarget | undefined;
  /** What was typed before, or `login_hint`. */
  readonly identifier?: string | undefined;
  /** Who is signed in, and has to prove it again. */
  readonly reauthenticates?: PersonShown | undefined;
  /** How the person is signed in is not how one may sign in here. */
  readonly needsOtherWay?: boolean;
  /** Where somebody else signs in instead. */
  readonly otherUrl: string;
  /** Where an account can be made; absent when sign-up is off. */
  readonly signUpUrl?: string | undefined;
  /** Why the last try did not work. */
  readonly problem?: string | undefined;
}

/** Asks for a name and a password, or sends people to where they can prove who they are. */
export function signInView(t: Messages, data: SignInData): View {
  const { form: open, others, problem } = data;
  const ways = others === undefined ? [] : [...others.forms, ...others.redirects];
  if (open === undefined && ways.length === 0) return noWayView(t, data);
  const [title, text] = headOf(t, data);
  return {
    title,
    failed: problem !== undefined,
    body: html`<h1>${title}</h1>
<p class="muted">${text}</p>
${alert(problem)}
${open !== undefined && openForm(t, data, open)}
${open !== undefined && ways.length > 0 && html`<p class="or">${t.or}</p>`}
${others !== undefined && otherWays(t, others)}
${data.cancel !== undefined && form(data.cancel, html`<button type="submit" class="plain">${t.cancel}</button>`)}
${foot(t, data)}`,
  };
}

function headOf(t: Messages, { client, form: open, reauthenticates, needsOtherWay }: SignInData): [string, string] {
  if (reauthenticates === undefined) return [t.signInTitle, t.toContinueTo(client)];
  if (needsOtherWay) return [t.signInTitle, t.otherWayText(client)];
  const isPassword = open !== undefined && open.nameOf === 'user' && open.asksFor !== 'name';
  return [isPassword ? t.reauthenticateTitle : t.reauthenticateOtherTitle, t.reauthenticateText];
}

function openForm(t: Messages, data: SignInData, { target, title, nameOf, asksFor, isWrong }: SignInForm): Html {
  // A directory may know the person by another name than we do.
  const person = nameOf === 'user' && data.reauthenticates !== undefined ? identifierOf(data.reauthenticates) : '';
  const identifier = person || data.identifier;
  const isFixed = person !== '' || asksFor === 'password';
  const describedBy = isWrong ? alertId : undefined;
  const name = field(t, {
    name: 'identifier',
    label: nameOf === 'directory' ? t.userName : t.identifier,
    autocomplete: 'username',
    value: identifier,
    maxLength: longest,
    readOnly: isFixed,
    focused: !isFixed && (asksFor === 'name' || !identifier),
    describedBy: isFixed ? undefined : describedBy,
  });
  const password = field(t, {
    name: 'password',
    label: t.password,
    type: 'password',
    autocomplete: 'current-password',
    focused: isFixed || Boolean(identifier),
    describedBy,
  });
  const asks = asksFor === 'name';
  return html`${title !== undefined && html`<p class="way">${title}</p>`}
${form(target, html`${name}${!asks && password}<button type="submit">${asks ? t.continue : t.signIn}</button>`)}`;
}

function otherWays(t: Messages, { forms, redirects, target }: OtherWays): Html {
  const link = ({ url, title }: OtherWays['forms'][number]) =>
    html`<a class="button quiet" href="${url}">${title === undefined ? t.continueWithPassword : t.continueWith(title)}</a>
`;
  const button = ({ policyId, title }: OtherWays['redirects'][number]) =>
    html`<button type="submit" class="quiet" name="policy" value="${policyId}">${t.continueWith(title)}</button>
`;
  return html`${forms.length > 0 && html`<div class="buttons">${forms.map(link)}</div>`}
${redirects.length > 0 && form(target, html`<div class="buttons">${redirects.map(button)}</div>`)}`;
}

/** Ways round the form. */
function foot(t: Messages, { reauthenticates, form: open, otherUrl, signUpUrl }: SignInData): Html | undefined {
  if (reauthenticates !== undefined || open?.asksFor === 'password') {
    return html`<p class="foot"><a href="${otherUrl}">${t.otherAccount}</a></p>`;
  }
  if (signUpUrl === undefined) return undefined;
  return html`<p class="foot">${t.noAccount} <a href="${signUpUrl}">${t.signUpTitle}</a></p>`;
}

/** Nothing is offered to anybody. */
const noWayView = (t: Messages, { client, cancel, problem }: SignInData): View => ({
  title: t.noWayTitle,
  failed: problem !== undefined,
  body: html`${notice(t.noWayTitle, t.noWayText(client))}
<p>${t.noWayAdvice}</p>
${alert(problem)}
${cancel !== undefined && form(cancel, html`<button type="submit" class="plain">${t.cancel}</button>`)}`,
});
