/** The lists that say by which policies people sign in, and how they are read. */
import type { ClientSignIn } from '../clients/sign-in.ts';
import { signInSettingsOf } from '../tenants/sign-in-settings.ts';

/** The lists that count. */
export interface OfferLists {
  /** Undefined: every policy. */
  readonly ofClient: readonly string[] | undefined;
  /** Null: every policy. */
  readonly ofOrganization: readonly string[] | null;
}

/** Whether a policy is among those that may be used; that it is enabled is another question. */
export const isOffered = ({ ofClient, ofOrganization }: OfferLists, policyId: string): boolean =>
  clientTakes(ofClient, policyId) && (ofOrganization?.includes(policyId) ?? true);

/** Whether an application takes people who signed in by a policy; nullish: nobody signed in. */
export const clientTakes = (ofClient: OfferLists['ofClient'], signedInBy: string | null | undefined): boolean =>
  signedInBy == null || ofClient === undefined || ofClient.includes(signedInBy);

/** The list of an application, else that of its tenant (the column as stored); undefined: every policy. */
export const policiesOfClient = (signIn: ClientSignIn, tenantColumn: string): readonly string[] | undefined =>
  signIn.authPolicyIds ?? signInSettingsOf(tenantColumn).authPolicyIds;
