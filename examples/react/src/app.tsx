import { type UserInfoResponse, useLogto } from '@logto/react';
import { useEffect, useState } from 'react';
import { Failure } from './failure.tsx';
import { callbackPath } from './settings.ts';
import { Teams } from './teams.tsx';

interface Organization {
  readonly id: string;
  readonly name: string;
}

/** Who is signed in, and in which organization the person works. */
export function App() {
  const { isAuthenticated, isLoading, error, signIn, signOut, fetchUserInfo } = useLogto();
  const [person, setPerson] = useState<UserInfoResponse>();
  const [organizationId, setOrganizationId] = useState('');

  // biome-ignore lint/correctness/useExhaustiveDependencies: the function is another one at every render
  useEffect(() => {
    if (isAuthenticated) void fetchUserInfo().then(setPerson);
  }, [isAuthenticated]);

  // The package says that it loads also while it asks for tokens; what is shown stays.
  if (isLoading && person === undefined) return <p>Loading…</p>;
  if (error !== undefined && person === undefined) return <Failure error={error} />;
  if (!isAuthenticated) {
    return (
      <>
        <h1>Teams</h1>
        <button type="button" onClick={() => void signIn(`${location.origin}${callbackPath}`)}>
          Sign in
        </button>
      </>
    );
  }
  const organizations = (person?.organization_data ?? []) as Organization[];
  return (
    <>
      <header>
        <span>{person?.name ?? person?.username ?? person?.sub}</span>
        <button type="button" onClick={() => void signOut(`${location.origin}/`)}>
          Sign out
        </button>
      </header>
      <h1>Teams</h1>
      <label>
        Organization
        <select value={organizationId} onChange={(event) => setOrganizationId(event.target.value)}>
          <option value="">Choose…</option>
          {organizations.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {organizationId !== '' && <Teams key={organizationId} organizationId={organizationId} />}
    </>
  );
}
