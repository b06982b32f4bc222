import { defineConfig } from 'vite';

const { PORT = '3002' } = process.env;

// biome-ignore lint/style/noDefaultExport: Vite asks for it
export default defineConfig({
  // On this machine only. The port is in the redirect URI, so no other will do.
  preview: { host: 'localhost', port: Number(PORT), strictPort: true },
});
