import { type Static, Type } from 'typebox';
import { checkpointQuery, offsetQuery } from '../envelope.ts';
import { closed, displayName, literals, optional, text } from '../schema.ts';

const settable = { name: displayName(128), description: text(255) };

/** Only tenant roles are made here; `type` may say so. */
const tenantRole = Type.Optional(literals('tenant'));

export const createBody = closed({ ...optional(settable), name: settable.name, type: tenantRole });
export type CreateBody = Static<typeof createBody>;

export const updateBody = closed(optional(settable));
export type UpdateBody = Static<typeof updateBody>;

export const listQuery = closed({ ...offsetQuery, name_filter: Type.Optional(text(200)), type: tenantRole });

export const pageQuery = closed(offsetQuery);
export const anyPageQuery = closed({ ...offsetQuery, ...checkpointQuery });

/** Most ids, or permissions, that one call names. */
const maximumNamed = 1000;

const ids = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: maximumNamed });
export const rolesBody = closed({ roles: ids });
export const usersBody = closed({ users: ids });
export const membersBody = closed({ members: ids });

export const permissionsBody = closed({
  permissions: Type.Array(
    closed({
      resource_server_identifier: Type.String({ minLength: 1, maxLength: 600 }),
      permission_name: Type.String({ minLength: 1, maxLength: 280 }),
    }),
    { minItems: 1, maxItems: maximumNamed },
  ),
});
export type PermissionsBody = Static<typeof permissionsBody>;
