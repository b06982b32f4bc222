import type { Problem, SchemaProblem } from './schema-problem.ts';

/** One sentence for the first thing that is wrong with a request's shape. */
export function problemSentence(error: SchemaProblem): string {
  const [problem] = error.problems;
  if (problem === undefined) return `The ${error.part} does not have the expected shape.`;
  const field = problem.path === '' ? `The ${error.part}` : `The field ${problem.path}`;
  return `${field} ${complaint(problem)}.`;
}

function complaint(problem: Problem): string {
  const { kind, name, expected, actual, allowed, limit } = problem;
  switch (kind) {
    case 'required':
      return `lacks ${name}`;
    case 'unknown':
      return `has the unknown field ${name}`;
    case 'type':
      return `must be ${expected}, not ${actual}`;
    case 'enum':
    case 'const':
      return `must be one of ${allowed?.join(', ') ?? expected}`;
    case 'minimum':
    case 'minLength':
    case 'minItems':
      return `must be at least ${limit}${kind === 'minLength' ? ' characters long' : kind === 'minItems' ? ' items long' : ''}`;
    case 'maximum':
    case 'maxLength':
    case 'maxItems':
      return `must be at most ${limit}${kind === 'maxLength' ? ' characters long' : kind === 'maxItems' ? ' items long' : ''}`;
    case 'uniqueItems':
      return 'must not list anything twice';
    default:
      return 'does not have the expected shape';
  }
}
