import { AccountsError } from '@sekisho/contract';
import { Type } from 'typebox';

export const accountParams = Type.Object({ account_id: Type.String() });
export const memberParams = Type.Object({ account_id: Type.String(), member_id: Type.String() });
export const applicationParams = Type.Object({ application_id: Type.String() });

/** What any call can be answered with. */
export const failures = { 400: AccountsError, 401: AccountsError, 403: AccountsError, 429: AccountsError };
export const failuresOfOne = { ...failures, 404: AccountsError };
export const failuresOfChange = { ...failuresOfOne, 409: AccountsError };
