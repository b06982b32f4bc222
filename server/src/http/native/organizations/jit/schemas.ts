/** What the routes of just-in-time membership share. A token for an organization reads; only the tenant changes. */
import { Type } from 'typebox';
import { failuresOfOne } from '../../failures.ts';

export const reads = { scopes: ['read:organizations'], delegated: true };
export const changes = { scopes: ['update:organizations'] };

export const organization = { id: Type.String({ description: 'Of an organization.' }) };
export const params = Type.Object(organization);

export const done = { 204: Type.Null(), ...failuresOfOne };
