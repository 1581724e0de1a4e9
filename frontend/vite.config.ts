import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const backend = process.env["EXPLORER_BACKEND"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    port: 5173,
    strictPort: true,
    proxy: { "/api": { target: backend } },
  },
  preview: { port: 4173, strictPort: true, proxy: { "/api": { target: backend } } },
  // The manifest is what weigh.mjs measures.
  build: { target: "es2022", sourcemap: false, manifest: true, chunkSizeWarningLimit: 600 },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["./src/test/setup.ts"],
    restoreMocks: true,
    // By default one core is left free, which is half of a small machine.
    maxWorkers: "100%",
    // Generous, as is what a test waits for: what passes does not wait, and a busy machine does.
    testTimeout: 60_000,
    // The colours of the style sheet are tested as they are written.
    css: { include: [/\.css\?raw$/] },
  },
});
