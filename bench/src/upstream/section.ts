import { median } from '../statistics.ts';
import { figure, type Section } from '../table.ts';
import {
  crowdSize,
  longestRefusal,
  ourApps,
  type State,
  tokenConnections,
  tokenRatio,
  type UpstreamFigures,
} from './measure.ts';
import { policies } from './ours.ts';

const words: Readonly<Record<State, string>> = {
  nobody: 'nobody signs in',
  healthy: `${crowdSize} people, directory healthy`,
  hung: `${crowdSize} people, directory hung`,
};

export function upstreamSections(figures: UpstreamFigures): Section[] {
  return [tokenSection(figures), signInSection(figures)];
}

function tokenSection(figures: UpstreamFigures): Section {
  const { rounds, seconds } = figures.pace;
  const rows = ourApps.flatMap((target) =>
    (['nobody', 'healthy', 'hung'] as const).map((state) => {
      const own = figures.measurements.filter((each) => each.target === target && each.state === state);
      return [
        `${target}: ${words[state]}`,
        figure(median(own.map(({ tokensPerSecond }) => tokensPerSecond))),
        figure(tokenRatio(figures, target, state), 2),
        figure(median(own.map(({ p99 }) => p99)), 2),
        figure(median(own.map(({ cpuMicros }) => cpuMicros ?? Number.NaN))),
        figure(median(own.map(({ signedInPerSecond }) => signedInPerSecond))),
        figure(median(own.map(({ refusedPerSecond }) => refusedPerSecond))),
        figure(state === 'hung' ? longestRefusal(figures, target) : undefined),
      ];
    }),
  );
  return {
    title: 'A directory that hangs',
    text:
      `RS256 client credentials on ${tokenConnections} connections while ${crowdSize} people sign in with OpenLDAP over ` +
      'ldaps (search, then bind), each again as soon as the last answer is there; "hung" is slapd stopped by SIGSTOP, ' +
      `which still accepts connections. Medians of ${rounds} interleaved rounds of ${seconds} s; "× nobody" is the ` +
      'median of the ratios within each round, the longest wait is that of all rounds. CPU is that of the server process, ' +
      'with all that it does besides. The healthy directory, the people and the load generator share the cores with the ' +
      'server; a hung directory uses none.',
    table: {
      head: ['State', 'tokens/s', '× nobody', 'p99 ms', 'CPU µs/token', 'signed in/s', 'refused/s', 'longest wait ms'],
      rows,
    },
  };
}

function signInSection({ signIns, pace }: UpstreamFigures): Section {
  return {
    title: 'Signing in with a directory',
    text:
      `Medians of ${pace.signIns} sign-ins one after the other, with nothing else on the server. Each has a connection of ` +
      'its own with TLS; by GSSAPI it has a process and tickets of its own too.',
    table: {
      head: ['Sign-in', 'median ms'],
      rows: signIns.map(({ target, policy, ms }) => [`${policies[policy]}: ${target}`, figure(ms, 1)]),
    },
  };
}
