/**
 * The floors of the house as a table, and the scanner that holds the imports against it: imports run downwards only.
 * It reads by regular expression: TypeScript 7 offers no parser to call, and type stripping drops the imports of types.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';

/** `path` is inside the repository and has `/`. */
export interface SourceFile {
  path: string;
  text: string;
}

export interface Import {
  line: number;
  /** As written; undefined when it is computed, so that nobody can check it. */
  specifier: string | undefined;
}

export interface Violation extends Import {
  path: string;
  reason: string;
}

const belowDomain = ['kernel', 'storage', 'upstream', 'contract'];
const belowHttp = [...belowDomain, 'domain', 'protocol'];

/** What each floor of `server/src` may import besides itself. */
const serverFloors: Record<string, readonly string[]> = {
  kernel: [],
  storage: ['kernel'],
  upstream: ['kernel'],
  config: ['kernel'],
  domain: belowDomain,
  protocol: [...belowDomain, 'domain'],
  http: belowHttp,
  'compose.ts': [...belowHttp, 'http', 'config'],
  'listen.ts': ['kernel', 'config'],
  'start-report.ts': [...belowHttp, 'http', 'config', 'compose.ts'],
  'main.ts': [...belowHttp, 'http', 'config', 'compose.ts', 'listen.ts', 'start-report.ts'],
};

/** What the shared and published workspaces may import of ours. The other ones (bench, cli) and scripts are free. */
const workspaces: Record<string, readonly string[]> = {
  contract: [],
  client: ['contract'],
  console: ['contract', 'client'],
};

const floorsWithoutHttp = ['kernel', 'storage', 'domain', 'protocol'];
const httpPackage = /^(fastify(-plugin)?|@fastify\/.+|(node:)?(http|https|http2))$/;
const enginePackage = /^(node:sqlite|pg|pg-pool|pg-native|pg-cursor|pg-query-stream)(\/|$)/;

/** Every source file under the rules. Tests may import anything and are left out. */
export function readSources(root: string): SourceFile[] {
  const patterns = ['server', ...Object.keys(workspaces)].map((workspace) => `${workspace}/src/**/*.{ts,tsx}`);
  return globSync(patterns, { cwd: root })
    .map((path) => path.replaceAll(sep, '/'))
    .filter((path) => !/\.test\.tsx?$/.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** All imports that run up or sideways, or take a package that is not for that floor. */
export function findViolations(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) =>
    findImports(text).flatMap((found) => {
      const reason = judge(path, found.specifier);
      return reason ? [{ path, ...found, reason }] : [];
    }),
  );
}

/** One line for a person: file, line, import, reason. */
export function describeViolation({ path, line, specifier, reason }: Violation): string {
  return `${path}:${line} imports ${specifier === undefined ? 'by a computed name' : `'${specifier}'`}: ${reason}`;
}

// --- reading ----------------------------------------------------------------------------------------------------------

/** Comment, template, regular expression (where a value can begin; behind a value it is a division), string. */
const lexeme =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|`(?:[^`\\]|\\[\s\S])*`|(?<=(?:^|[(,=:[!&|?{};>\n]|\breturn)\s*)\/(?:\[(?:[^\]\\\n]|\\.)*\]|[^/\\\n[]|\\.)+\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;

const staticImport = /(?<![\w$.])(?:import\b[^;"()]*?\bfrom|import)\s*"(?<index>\d+)"/;
const exportFrom = /(?<![\w$.])export\s*(?:type\b\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})\s*from\s*"(?<index>\d+)"/;
const call = /(?:(?<![\w$.])(?:import|require)|\bgetBuiltinModule)\s*\((?:\s*"(?<index>\d+)"\s*[,)])?/;
const anyImport = new RegExp([staticImport, exportFrom, call].map(({ source }) => source).join('|'), 'g');

/** The imports of a TypeScript text: import, export … from, import('…') also of types, require('…'). */
export function findImports(text: string): Import[] {
  // Only code stays, on its lines; each string becomes its number, so that nothing inside one looks like an import.
  const strings: string[] = [];
  const code = text.replace(lexeme, (found) => {
    const lines = found.replace(/[^\n]/g, '');
    const isString = /^['"]/.test(found) || (found.startsWith('`') && !found.includes('${'));
    return isString ? `"${strings.push(found.slice(1, -1)) - 1}"${lines}` : ` ${lines}`;
  });
  return [...code.matchAll(anyImport)].map((match) => ({
    line: code.slice(0, match.index).split('\n').length,
    specifier: strings[Number(match.groups?.index)],
  }));
}

// --- judging ----------------------------------------------------------------------------------------------------------

/** Why the file at `path` may not import `specifier`; undefined when it may. */
function judge(path: string, specifier: string | undefined): string | undefined {
  if (specifier === undefined) return 'such an import can not be checked, write the name out';
  if (/^[#/]|^file:/.test(specifier)) return 'import our own files by relative path';
  const [workspace = ''] = path.split('/');
  const ownPackage = /^@sekisho\/([^/]+)/.exec(specifier)?.[1];
  if (ownPackage) return judgeWorkspace(path, ownPackage);
  if (!specifier.startsWith('.')) return judgePackage(path, specifier);
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.startsWith(`${workspace}/src/`)) {
    return target.endsWith('.json') ? undefined : `${workspace}/src imports nothing outside itself by path`;
  }
  return workspace === 'server' ? judgeFloor(path, target) : undefined;
}

function judgeWorkspace(path: string, name: string): string | undefined {
  const [workspace = ''] = path.split('/');
  if (name === workspace) return 'import our own files by relative path';
  const allowed = workspace === 'server' ? serverFloors[floorOf(path)] : workspaces[workspace];
  return allowed?.includes(name) ? undefined : mayNot(workspace === 'server' ? floorOf(path) : workspace, name);
}

function judgePackage(path: string, name: string): string | undefined {
  const floor = path.startsWith('server/') ? floorOf(path) : '';
  if (floorsWithoutHttp.includes(floor) && httpPackage.test(name)) return `${floor} knows no HTTP server`;
  if (floor !== 'storage' && enginePackage.test(name)) return 'only storage knows which engine runs';
  return undefined;
}

function judgeFloor(path: string, target: string): string | undefined {
  const [from, to] = [floorOf(path), floorOf(target)];
  const allowed = serverFloors[from];
  if (!allowed) return `'${from}' is no floor of server/src`;
  if (from === to) return from === 'http' ? judgeRoom(roomOf(path), roomOf(target)) : undefined;
  return allowed.includes(to) ? undefined : mayNot(from, to);
}

/** Inside http, server.ts and management.ts stand above the dialects (one folder each), and they above what they share. */
function judgeRoom(from: string, to: string): string | undefined {
  if (from === to || from === 'server.ts' || from === 'management.ts') return undefined;
  if (to === 'server.ts') return 'http/server.ts stands above the rest of http';
  if (!isDialect(to)) return undefined;
  return isDialect(from)
    ? `http/${from} may not import its sibling http/${to}`
    : `http/${from} is shared by the dialects and may not import http/${to}`;
}

/** `edge`, `changes`, `pages` and the files directly in http are what the dialects share. */
function isDialect(room: string): boolean {
  return !['edge', 'changes', 'pages'].includes(room) && !room.endsWith('.ts');
}

function floorOf(path: string): string {
  return path.split('/')[2] ?? '';
}

function roomOf(path: string): string {
  return path.split('/')[3] ?? '';
}

function mayNot(from: string, to: string): string {
  const allowed = serverFloors[from] ?? workspaces[from];
  return allowed ? `${from} may not import ${to}, only ${allowed.join(', ') || 'itself'}` : `'${from}' is no floor`;
}
