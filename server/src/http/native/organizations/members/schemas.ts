import { Problem } from '@sekisho/contract';
import { Type } from 'typebox';
import { failuresOfOne } from '../../failures.ts';

const segment = (description: string) => Type.String({ minLength: 1, maxLength: 128, description });

export const ofOrganization = { id: segment('Of the organization.') };
export const ofUser = { ...ofOrganization, userId: segment('Of the user.') };
export const ofApplication = { ...ofOrganization, applicationId: segment('Of the application.') };
export const ofRole = { organizationRoleId: segment('Of the organization role.') };

/** Of a change, which a rule or a reference may forbid. */
export const failuresOfChange = { ...failuresOfOne, 409: Problem, 422: Problem };

/** A token for an organization may call these: every verb begins by loading the organization in the caller's reach. */
export const reading = { scopes: ['read:organization_members'], delegated: true };
export const creating = { scopes: ['create:organization_members'], delegated: true };
export const updating = { scopes: ['update:organization_members'], delegated: true };
export const deleting = { scopes: ['delete:organization_members'], delegated: true };
/** What adds some and removes others needs the right to both: the verb is called after `assertScope` of the other. */
export const replacing = creating;
export const removingScope = 'delete:organization_members';
