import { Check } from 'typebox/schema';
import { brokenKeywords } from './schema-keywords.ts';
import { branches, hasType, literals, type SchemaNode, typeName, types } from './schema-node.ts';
import { maxProblems, type Problem } from './schema-problem.ts';
import { echoName } from './text.ts';

/** Values looked at before giving up: a refused megabyte must not cost more than an accepted one. */
const maxVisits = 5_000;

/**
 * Says why a value that the compiled schema refused does not match it, at most 20 problems. What it can not explain
 * (`$ref`, `false`, `if`, `contains`, `unevaluatedProperties`, or a fault far inside a very large body) is one problem `other`
 * of the whole.
 */
export function explain(schema: SchemaNode, value: unknown): Problem[] {
  const explanation = new Explanation();
  explanation.visit(schema, value, '');
  return explanation.problems.length === 0 ? [{ path: '', kind: 'other' }] : explanation.problems;
}

class Explanation {
  problems: Problem[] = [];
  #visits = 0;

  visit(schema: SchemaNode, value: unknown, path: string): void {
    this.#visits += 1;
    if (this.#done()) return;
    if (schema.anyOf !== undefined || schema.oneOf !== undefined) this.#union(branches(schema), value, path);
    const allowed = literals(schema);
    if (allowed !== undefined) this.#literal(allowed, schema.const === undefined ? 'enum' : 'const', value, path);
    else if (schema.type !== undefined && !hasType({ type: schema.type }, value)) {
      this.#report({ path, kind: 'type', expected: types({ type: schema.type }).join(' | '), actual: typeName(value) });
    } else {
      const broken = brokenKeywords(schema, value, path);
      for (const problem of broken) this.#report(problem);
      if (Array.isArray(value)) {
        // The items of a list that is too long are not worth a walk.
        if (broken.length === 0) this.#items(schema, value, path);
      } else if (typeof value === 'object' && value !== null) {
        this.#object(schema, value as Record<string, unknown>, path);
      }
    }
    for (const part of schema.allOf ?? []) this.visit(part, value, path);
  }

  #literal(allowed: unknown[], kind: 'enum' | 'const', value: unknown, path: string): void {
    if (Check({ enum: allowed }, value)) return;
    this.#report({ path, kind, expected: types({ enum: allowed }).join(' | '), actual: typeName(value), allowed });
  }

  #items({ items, prefixItems }: SchemaNode, value: unknown[], path: string): void {
    const fixed = Array.isArray(items) ? items : (prefixItems ?? []);
    const rest = Array.isArray(items) ? undefined : items;
    for (const [index, item] of value.entries()) {
      if (this.#done()) return;
      const schema = fixed[index] ?? rest;
      if (schema !== undefined) this.visit(schema, item, below(path, String(index)));
    }
  }

  #object(schema: SchemaNode, value: Record<string, unknown>, path: string): void {
    const properties = schema.properties ?? {};
    for (const name of schema.required ?? []) {
      if (Object.hasOwn(value, name)) continue;
      const expected = types(properties[name] ?? {}).join(' | ');
      this.#report({ path, kind: 'required', name, actual: 'undefined', ...(expected === '' ? {} : { expected }) });
    }
    for (const [name, property] of Object.entries(value)) {
      if (this.#done()) return;
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const schemas = known === undefined ? [] : [known];
      for (const [pattern, more] of Object.entries(schema.patternProperties ?? {})) {
        if (Check({ pattern }, name)) schemas.push(more);
      }
      const additional = schema.additionalProperties;
      if (schemas.length === 0 && typeof additional === 'object') schemas.push(additional);
      if (schemas.length === 0) this.#visits += 1;
      if (schemas.length === 0 && additional === false) this.#report({ path, kind: 'unknown', name: echoName(name) });
      for (const one of schemas) this.visit(one, property, below(path, name));
    }
  }

  /** Explains the branch that was most likely meant. */
  #union(parts: SchemaNode[], value: unknown, path: string): void {
    const listed = parts.map((part) => (part.type === 'null' ? [null] : literals(part)));
    if (listed.every((values) => values !== undefined)) {
      this.#literal(listed.flat(), 'enum', value, path);
      return;
    }
    const expected = types({ anyOf: parts }).join(' | ');
    const actual = typeName(value);
    const fitting = parts.filter((part) => hasType(part, value));
    if (fitting.length === 0) {
      this.#report({ path, kind: 'type', expected, actual });
      return;
    }
    const explained = fitting.map((part) => this.#aside(part, value, path));
    if (explained.some((problems) => problems.length === 0)) return;
    // Alternatives told apart by a property of fixed value (`type: "a"`): the one whose fixed values all match.
    const meant = explained.filter((problems) => !problems.some(({ kind }) => kind === 'const'));
    const candidates = meant.length === 0 ? explained : meant;
    const told = candidates.length === 1 ? candidates[0] : commonProblem(candidates);
    for (const problem of told ?? [{ path, kind: 'union', expected, actual } as const]) this.#report(problem);
  }

  /** The problems of one branch, kept apart from those of the others. */
  #aside(schema: SchemaNode, value: unknown, path: string): Problem[] {
    const outer = this.problems;
    this.problems = [];
    this.visit(schema, value, path);
    const inner = this.problems;
    this.problems = outer;
    return inner;
  }

  #report(problem: Problem): void {
    if (this.problems.length < maxProblems) this.problems.push(problem);
  }

  #done(): boolean {
    return this.#visits > maxVisits || this.problems.length >= maxProblems;
  }
}

/** A problem that every branch has; fixed values that differ from branch to branch become one list of them. */
function commonProblem(explained: Problem[][]): Problem[] | undefined {
  const [first = [], ...others] = explained;
  for (const problem of first) {
    const { path, kind, name, allowed } = problem;
    const same = others.map((problems) => problems.find((o) => o.path === path && o.kind === kind && o.name === name));
    if (!same.every((other) => other !== undefined)) continue;
    if (allowed === undefined) return [problem];
    const all = [...new Set([...allowed, ...same.flatMap((other) => other.allowed ?? [])])];
    return [{ ...problem, kind: 'enum', expected: types({ enum: all }).join(' | '), allowed: all }];
  }
  return undefined;
}

const below = (path: string, key: string): string => (path === '' ? echoName(key) : `${path}.${echoName(key)}`);
