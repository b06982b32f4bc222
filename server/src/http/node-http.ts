/**
 * Node's `http`. An `import` of it reads all that the module exports, and among that are lazy ones which load a whole HTTP
 * client (undici): a tenth of a start, for nothing.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');
