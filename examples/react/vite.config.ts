import { defineConfig } from 'vite';

const { PORT = '3002' } = process.env;

// biome-ignore lint/style/noDefaultExport: Vite asks for it
export default defineConfig({
  // On this machine only. The port is in the redirect URI, so no other will do.
  preview: { host: '127.0.0.1', port: Number(PORT), strictPort: true },
});
