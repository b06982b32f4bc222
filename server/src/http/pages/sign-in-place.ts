/** Where somebody signs in: on the way to an application, or to let a device in. Both offer the same, in the same way. */
import type { FastifyRequest } from 'fastify';
import type { SignInTarget } from '../../domain/auth-policies/offers.ts';
import type { User } from '../../domain/users/user.ts';
import { formOffered, offersSignUp, type SignInOffer } from '../../protocol/sign-in/offer-page.ts';
import type { UpstreamPurpose } from '../../protocol/sign-in/redirect.ts';
import type { FormTarget } from './fields.ts';
import type { Viewing } from './page.ts';
import type { Problem } from './problems.ts';
import { identifierOf } from './views/parts.ts';
import { type SignInForm, signInView } from './views/sign-in.ts';

export interface SignInPlace {
  /** The application's name. */
  readonly client: string;
  /** For what somebody signs in, what is offered for it, and what to remember while the browser is elsewhere. */
  readonly target: SignInTarget;
  readonly offer: SignInOffer;
  readonly purpose: UpstreamPurpose;
  readonly uiLocales: readonly string[];
  readonly loginHint: string | undefined;
  /** Who is signed in and has to prove it again, and by which policy that was. */
  readonly person: User | undefined;
  readonly signedInBy: string | undefined;
  /** An upstream has to ask the person too. */
  readonly provesAgain: boolean;
  /** The form of an answer. */
  formOf(answer: 'sign-in' | 'upstream'): FormTarget;
  readonly cancel: FormTarget | undefined;
  /** The page itself, with parameters. */
  url(parameters: Readonly<Record<string, string>>): string;
  /** Where an account can be made, if that is on. */
  readonly signUpUrl: string | undefined;
}

/** What was sent, or asked for by the page's address. */
export interface Sent {
  readonly identifier?: string | undefined;
  /** Whose form it was, or is to be. */
  readonly policyId?: string | undefined;
  /** The name was given; its password is asked for. */
  readonly hasName?: boolean;
  readonly problem?: Problem | undefined;
}

/** What the address of the page asks for; `account=other`: a name that nobody has, so the form is for anybody. */
export function askedByUrl(request: FastifyRequest): Sent {
  const { account, policy } = request.query as Record<string, unknown>;
  return {
    ...(account === 'other' ? { identifier: '' } : {}),
    ...(typeof policy === 'string' ? { policyId: policy } : {}),
  };
}

/** The person who is asked to prove it again, unless somebody else wants to sign in. */
export const expectedPerson = ({ person }: SignInPlace, identifier: string | undefined): User | undefined =>
  person === undefined || identifier === undefined || identifier === identifierOf(person) ? person : undefined;

/** The page, empty or as it was sent. */
export function signInViewing(place: SignInPlace, sent: Sent): Viewing {
  const { offer, signedInBy } = place;
  const person = expectedPerson(place, sent.identifier);
  const open = openFormOf(place, sent);
  const isOffered = [...offer.forms, ...offer.redirects].some(({ policyId }) => policyId === signedInBy);
  const others = offer.forms.filter(({ policyId }) => policyId !== open?.policyId);
  const away = place.formOf('upstream');
  const anew: Record<string, string> = person === undefined && sent.identifier === '' ? { account: 'other' } : {};
  return (t) =>
    signInView(t, {
      client: place.client,
      form: open?.form,
      others: {
        forms: others.map(({ policyId, title }) => ({ url: place.url({ ...anew, policy: policyId }), title })),
        redirects: offer.redirects,
        target: { ...away, fields: { ...away.fields, ...anew } },
      },
      cancel: place.cancel,
      identifier: sent.identifier ?? place.loginHint,
      reauthenticates: person,
      needsOtherWay: !isOffered,
      otherUrl: place.url({ account: 'other' }),
      signUpUrl: offersSignUp(offer) ? place.signUpUrl : undefined,
      problem: sent.problem?.text(t),
    });
}

function openFormOf(place: SignInPlace, sent: Sent): { policyId: string; form: SignInForm } | undefined {
  const { offer } = place;
  const open = formOffered(offer, sent.policyId ?? place.signedInBy);
  if (open === undefined) return undefined;
  const target = place.formOf('sign-in');
  const fields = { ...target.fields, ...(open.title === undefined ? {} : { policy: open.policyId }) };
  const asksPassword = sent.hasName === true && Boolean(sent.identifier);
  const asksFor = offer.asksNameFirst ? (asksPassword ? 'password' : 'name') : 'both';
  const isWrong = sent.problem?.ofInput === true && sent.hasName === true;
  const { policyId, title, nameOf } = open;
  return { policyId, form: { target: { ...target, fields }, title, nameOf, asksFor, isWrong } };
}
