/**
 * Whether the native API's bodies are what `@logto/api`'s own types say, and whether it takes the bodies they allow. The
 * compiler checks it; nothing here runs. What differs on purpose is named here and in docs/compatibility.md.
 */
import type { createManagementApi } from '@logto/api/management';
import type * as ours from '@sekisho/contract';
import type { Static, TSchema } from 'typebox';

type Client = ReturnType<typeof createManagementApi>['apiClient'];
type Paths = Client extends import('openapi-fetch').Client<infer P extends object> ? P : never;

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
/** JSON of a successful answer. */
type Answer<P extends keyof Paths, M extends Method> = Paths[P] extends { [K in M]: { responses: infer R } }
  ? {
      [S in 200 | 201 as S extends keyof R ? S : never]: R[S & keyof R] extends {
        content: { 'application/json': infer B };
      }
        ? B
        : never;
    } extends infer All
    ? All[keyof All]
    : never
  : never;
/** JSON of a request. */
type Body<P extends keyof Paths, M extends Method> = Paths[P] extends {
  [K in M]: { requestBody?: { content: { 'application/json': infer B } } };
}
  ? B
  : never;

type Is<A, B> = [B] extends [never] ? 'no type of theirs' : [A] extends [B] ? true : { ours: A; notA: B };
/** The same but for some fields, of one or of each in a list. */
type AlmostIs<A, Field extends string, B> = Is<Without<A, Field>, Without<B, Field>>;
type Without<T, Field extends string> = T extends readonly (infer One)[] ? Omit<One, Field>[] : Omit<T, Field>;
/** Where Logto's types say an object and Logto sends strings. */
type Addresses = 'oidcClientMetadata';

const holds = <_Claim extends true>(): void => {};

holds<Is<ours.Organization, Answer<'/api/organizations', 'post'>>>();
holds<Is<ours.Organization, Answer<'/api/organizations/{id}', 'get'>>>();
holds<Is<ours.Organization, Answer<'/api/organizations/{id}', 'patch'>>>();
holds<Is<ours.ListedOrganization[], Answer<'/api/organizations', 'get'>>>();
holds<Is<(ours.User & ours.MembershipOfListed)[], Answer<'/api/organizations/{id}/users', 'get'>>>();
holds<
  AlmostIs<
    (ours.Application & ours.MembershipOfListed)[],
    Addresses,
    Answer<'/api/organizations/{id}/applications', 'get'>
  >
>();
holds<Is<ours.OrganizationRole[], Answer<'/api/organizations/{id}/users/{userId}/roles', 'get'>>>();
holds<Is<ours.OrganizationScope[], Answer<'/api/organizations/{id}/users/{userId}/scopes', 'get'>>>();
holds<Is<ours.OrganizationRole[], Answer<'/api/organizations/{id}/applications/{applicationId}/roles', 'get'>>>();
holds<Is<ours.JitEmailDomain[], Answer<'/api/organizations/{id}/jit/email-domains', 'get'>>>();
holds<Is<ours.JitEmailDomain, Answer<'/api/organizations/{id}/jit/email-domains', 'post'>>>();
holds<Is<ours.OrganizationRole[], Answer<'/api/organizations/{id}/jit/roles', 'get'>>>();
holds<Is<ours.OrganizationRoleWithScopes[], Answer<'/api/organization-roles', 'get'>>>();
holds<Is<ours.OrganizationRole, Answer<'/api/organization-roles', 'post'>>>();
holds<Is<ours.OrganizationRole, Answer<'/api/organization-roles/{id}', 'get'>>>();
holds<Is<ours.OrganizationScope[], Answer<'/api/organization-roles/{id}/scopes', 'get'>>>();
holds<AlmostIs<ours.ResourceScope[], 'createdAt', Answer<'/api/organization-roles/{id}/resource-scopes', 'get'>>>();
holds<Is<ours.OrganizationScope[], Answer<'/api/organization-scopes', 'get'>>>();
holds<Is<ours.OrganizationScope, Answer<'/api/organization-scopes', 'post'>>>();
holds<Is<ours.OrganizationInvitation[], Answer<'/api/organization-invitations', 'get'>>>();
holds<Is<ours.CreatedOrganizationInvitation, Answer<'/api/organization-invitations', 'post'>>>();
holds<Is<ours.OrganizationInvitation, Answer<'/api/organization-invitations/{id}', 'get'>>>();
holds<Is<ours.OrganizationInvitation, Answer<'/api/organization-invitations/{id}/status', 'put'>>>();
holds<Is<ours.User[], Answer<'/api/users', 'get'>>>();
holds<Is<ours.User, Answer<'/api/users', 'post'>>>();
holds<Is<ours.User, Answer<'/api/users/{userId}', 'get'>>>();
holds<Is<ours.User, Answer<'/api/users/{userId}', 'patch'>>>();
holds<Is<ours.User, Answer<'/api/users/{userId}/is-suspended', 'patch'>>>();
holds<Is<ours.User, Answer<'/api/users/{userId}/password', 'patch'>>>();
holds<Is<ours.UserProfile, Answer<'/api/users/{userId}/profile', 'patch'>>>();
holds<Is<ours.OrganizationOfSubject[], Answer<'/api/users/{userId}/organizations', 'get'>>>();
holds<Is<ours.Role[], Answer<'/api/users/{userId}/roles', 'get'>>>();
holds<AlmostIs<ours.Application[], Addresses, Answer<'/api/applications', 'get'>>>();
holds<AlmostIs<ours.CreatedApplication, Addresses, Answer<'/api/applications', 'post'>>>();
holds<AlmostIs<ours.ReadApplication, Addresses, Answer<'/api/applications/{id}', 'get'>>>();
holds<AlmostIs<ours.Application, Addresses, Answer<'/api/applications/{id}', 'patch'>>>();
holds<AlmostIs<ours.ApplicationSecret[], 'value', Answer<'/api/applications/{id}/secrets', 'get'>>>();
holds<Is<ours.CreatedApplicationSecret, Answer<'/api/applications/{id}/secrets', 'post'>>>();
holds<Is<ours.OrganizationOfSubject[], Answer<'/api/applications/{id}/organizations', 'get'>>>();
holds<Is<ours.Role[], Answer<'/api/applications/{applicationId}/roles', 'get'>>>();
holds<Is<ours.ListedRole[], Answer<'/api/roles', 'get'>>>();
holds<Is<ours.Role, Answer<'/api/roles', 'post'>>>();
holds<Is<ours.Role, Answer<'/api/roles/{id}', 'get'>>>();
holds<AlmostIs<ours.ResourceScopeWithResource[], 'createdAt', Answer<'/api/roles/{id}/scopes', 'get'>>>();
holds<Is<ours.User[], Answer<'/api/roles/{id}/users', 'get'>>>();
holds<AlmostIs<ours.Application[], Addresses, Answer<'/api/roles/{id}/applications', 'get'>>>();
holds<AlmostIs<ours.Resource[], 'scopes', Answer<'/api/resources', 'get'>>>();
holds<AlmostIs<ours.Resource, 'scopes', Answer<'/api/resources', 'post'>>>();
holds<Is<ours.Resource, Answer<'/api/resources/{id}', 'get'>>>();
holds<AlmostIs<ours.ResourceScope[], 'createdAt', Answer<'/api/resources/{resourceId}/scopes', 'get'>>>();
holds<AlmostIs<ours.ResourceScope, 'createdAt', Answer<'/api/resources/{resourceId}/scopes', 'post'>>>();

type Taken<S extends TSchema> = Static<S>;
holds<Is<Body<'/api/organizations', 'post'>, ours.CreateOrganization>>();
holds<Is<Body<'/api/organizations/{id}', 'patch'>, ours.UpdateOrganization>>();
holds<Is<Body<'/api/organizations/{id}/users', 'post'>, Taken<typeof ours.UserIds>>>();
holds<Is<Body<'/api/organization-roles', 'post'>, ours.CreateOrganizationRole>>();
holds<Is<Body<'/api/organization-roles/{id}', 'patch'>, ours.UpdateOrganizationRole>>();
holds<Is<Body<'/api/organization-scopes', 'post'>, ours.CreateOrganizationScope>>();
holds<AlmostIs<Body<'/api/organization-invitations', 'post'>, 'messagePayload', ours.CreateOrganizationInvitation>>();
holds<Is<Body<'/api/users', 'post'>, ours.CreateUser>>();
holds<Is<Body<'/api/users/{userId}', 'patch'>, ours.UpdateUser>>();
holds<AlmostIs<Body<'/api/sign-in-exp', 'patch'>, 'signInMode', ours.UpdateSignInExperience>>();
holds<AlmostIs<Body<'/api/applications', 'post'>, Addresses, ours.CreateApplication>>();
holds<AlmostIs<Body<'/api/applications/{id}', 'patch'>, Addresses, ours.UpdateApplication>>();
holds<Is<Body<'/api/roles', 'post'>, ours.CreateRole>>();
holds<Is<Body<'/api/roles/{id}', 'patch'>, ours.UpdateRole>>();
holds<Is<Body<'/api/resources', 'post'>, ours.CreateResource>>();
holds<Is<Body<'/api/resources/{id}', 'patch'>, ours.UpdateResource>>();
holds<Is<Body<'/api/resources/{resourceId}/scopes', 'post'>, ours.CreateResourceScope>>();
