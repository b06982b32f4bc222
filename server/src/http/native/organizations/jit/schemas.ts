/** What the routes of just-in-time membership share. A token for an organization reads; only the tenant changes. */
import { Problem } from '@sekisho/contract';
import { Type } from 'typebox';

export const reads = { scopes: ['read:organizations'], delegated: true };
export const changes = { scopes: ['update:organizations'] };

export const organization = { id: Type.String({ description: 'Of an organization.' }) };
export const params = Type.Object(organization);

export const failures = { 400: Problem, 401: Problem, 403: Problem, 404: Problem };
export const done = { 204: Type.Null(), ...failures };
