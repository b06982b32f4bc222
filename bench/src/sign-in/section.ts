import { peerName } from '../peer.ts';
import { median } from '../statistics.ts';
import { figure, type Section } from '../table.ts';
import { ourPeople, ourPeopleOnPostgres, type SignInFigures, signInRatio, workloads } from './measure.ts';

export function signInSections(figures: SignInFigures): Section[] {
  const { measurements, rounds, seconds, connections, signInMs, weight } = figures;
  const rows = workloads.flatMap((workload) =>
    [ourPeople, ourPeopleOnPostgres, peerName].map((target) => {
      const own = measurements.filter((each) => each.target === target && each.workload === workload);
      return [
        `${workload}: ${target}`,
        figure(median(own.map(({ perSecond }) => perSecond))),
        figure(signInRatio(figures, target, workload), 2),
        figure(median(own.map(({ p50 }) => p50)), 2),
        figure(median(own.map(({ p99 }) => p99)), 2),
      ];
    }),
  );
  return [
    {
      title: 'Sign-in',
      text:
        'A round of the authorization code is two requests: authorize with a session there is, and exchange the code. Every ' +
        'answer has an access token and an ID token, both signed with RS256, and a refresh token. ' +
        `${connections} callers in closed loop, medians of ${rounds} interleaved rounds of ${seconds} s. Ours are answered ` +
        `after their log events are durable; ${peerName} keeps everything in memory. The load generator shares the cores.`,
      table: { head: ['Round', 'a second', '× peer', 'p50 ms', 'p99 ms'], rows },
    },
    {
      title: 'Signing in',
      text: 'One sign-in form after the other, in new browsers; most of it is the password hash (argon2id, 19 MiB, two passes).',
      table: {
        head: ['What', 'measured'],
        rows: [
          ['Sign-in form, median ms', figure(signInMs, 1)],
          ['Sign-in page, bytes', String(weight.page)],
          ['Its style sheets, bytes', String(weight.styles)],
        ],
      },
    },
  ];
}
