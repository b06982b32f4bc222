/** The style sheets and the script of the pages: few, small, ours, and kept by browsers until they change. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { themeCss } from './theme.ts';

export interface Asset {
  readonly type: string;
  readonly text: string;
  /** Its path with a hash of its text, so that it can be kept for ever. */
  readonly url: string;
}

const read = (name: string, type: string): Asset => {
  const text = readFileSync(join(import.meta.dirname, 'assets', name), 'utf8');
  const version = createHash('sha256').update(text).digest('base64url').slice(0, 12);
  return { type, text, url: `/pages/${name}?v=${version}` };
};

export const styles = read('styles.css', 'text/css; charset=utf-8');
export const darkStyles = read('dark.css', 'text/css; charset=utf-8');
export const formPostScript = read('form-post.js', 'text/javascript; charset=utf-8');

const immutable = 'public, max-age=31536000, immutable';

/** Answers with the asset; under another version than its own it is not to be kept, for it is another node's. */
export function sendAsset(asset: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const isThisVersion = request.raw.url === asset.url;
  return reply
    .header('cache-control', isThisVersion ? immutable : 'no-cache')
    .type(asset.type)
    .send(asset.text);
}

/** The address of the style sheet of a tenant's colours, of six digits each; without a dark one, light pages only. */
export const themeUrl = (hex: string, darkHex?: string): string =>
  `/pages/theme/${hex}${darkHex === undefined ? '' : `-${darkHex}`}.css`;

/** Answers with the style sheet of the colours in its name; the same name is always the same sheet. */
export function sendTheme(file: string, reply: FastifyReply): FastifyReply {
  const [, hex, darkHex] = /^([0-9a-f]{6})(?:-([0-9a-f]{6}))?\.css$/.exec(file) ?? [];
  if (hex === undefined) {
    reply.callNotFound();
    return reply;
  }
  return reply.header('cache-control', immutable).type('text/css; charset=utf-8').send(themeCss(hex, darkHex));
}
