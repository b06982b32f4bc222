import { Check } from 'typebox/schema';
import { type SchemaNode, typeName } from './schema-node.ts';
import type { Problem, ProblemKind } from './schema-problem.ts';

/** Keywords about one value alone, and the kind of problem each makes; a sign shows how a number's bound compares. */
const keywords: readonly { keyword: string; kind: ProblemKind; sign?: string }[] = [
  { keyword: 'minLength', kind: 'minLength' },
  { keyword: 'maxLength', kind: 'maxLength' },
  { keyword: 'pattern', kind: 'pattern' },
  { keyword: 'format', kind: 'format' },
  { keyword: 'minimum', kind: 'minimum', sign: '>=' },
  { keyword: 'exclusiveMinimum', kind: 'minimum', sign: '>' },
  { keyword: 'maximum', kind: 'maximum', sign: '<=' },
  { keyword: 'exclusiveMaximum', kind: 'maximum', sign: '<' },
  { keyword: 'minItems', kind: 'minItems' },
  { keyword: 'maxItems', kind: 'maxItems' },
  { keyword: 'multipleOf', kind: 'other' },
  { keyword: 'minProperties', kind: 'other' },
  { keyword: 'maxProperties', kind: 'other' },
  { keyword: 'propertyNames', kind: 'other' },
  { keyword: 'not', kind: 'other' },
  { keyword: 'uniqueItems', kind: 'uniqueItems' },
];

/** The keywords of a schema, of those about one value alone, that a value breaks. */
export function brokenKeywords(schema: SchemaNode, value: unknown, path: string): Problem[] {
  const problems: Problem[] = [];
  for (const { keyword, kind, sign } of keywords) {
    // Looking for repeats is slow: not in a list that is refused for its length already.
    if (keyword === 'uniqueItems' && problems.length > 0) break;
    const bound = (schema as Record<string, unknown>)[keyword];
    // TypeBox's own check of the one keyword, so that the explanation can not differ from the verdict.
    if (bound === undefined || Check({ [keyword]: bound }, value)) continue;
    const problem: Problem = { path, kind, actual: typeName(value) };
    if (kind === 'other') problem.expected = keyword;
    else if (typeof bound === 'number') problem.limit = bound;
    else if (typeof bound === 'string') problem.expected = bound;
    if (sign !== undefined) problem.expected = `${sign} ${bound}`;
    problems.push(problem);
  }
  return problems;
}
