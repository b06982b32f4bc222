import { useLogto } from '@logto/react';
import { type FormEvent, useEffect, useState } from 'react';
import { appServer, audience } from './settings.ts';

interface Team {
  readonly id: string;
  readonly name: string;
}

/** The teams of one organization, by the app server. What may be done is decided there, by the token. */
export function Teams({ organizationId }: { organizationId: string }) {
  const { getAccessToken } = useLogto();
  const [teams, setTeams] = useState<readonly Team[]>();
  const [problem, setProblem] = useState('');

  /** A call with a token that speaks for the organization; the package keeps it while it is good. */
  async function call(method: string, path: string, json?: unknown): Promise<unknown> {
    const token = await getAccessToken(audience, organizationId);
    if (token === undefined) throw new Error('There is no token for this organization.');
    const answer = await fetch(`${appServer}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    if (answer.status === 403) throw new Error('Your role in this organization does not allow that.');
    if (!answer.ok) throw new Error(`The app server answered ${answer.status}.`);
    return answer.status === 204 ? undefined : answer.json();
  }

  /** Does something, if anything, and shows the teams as they are afterwards; false when it was refused. */
  async function run(work?: () => Promise<unknown>): Promise<boolean> {
    try {
      await work?.();
      setTeams((await call('GET', '/teams')) as Team[]);
      setProblem('');
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    }
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each organization
  useEffect(() => {
    void run();
  }, [organizationId]);

  function add(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = event.currentTarget;
    const name = new FormData(form).get('name');
    void run(() => call('POST', '/teams', { name })).then((done) => done && form.reset());
  }

  return (
    <section aria-busy={teams === undefined}>
      {problem !== '' && <p role="alert">{problem}</p>}
      {teams?.length === 0 && <p>There are no teams yet.</p>}
      <ul>
        {teams?.map(({ id, name }) => (
          <li key={id}>
            <span>{name}</span>
            <button type="button" onClick={() => void run(() => call('DELETE', `/teams/${id}`))}>
              Delete <span className="hidden">{name}</span>
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={add}>
        <label>
          New team
          <input name="name" required maxLength={128} autoComplete="off" />
        </label>
        <button type="submit">Add</button>
      </form>
    </section>
  );
}
