import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const backend = process.env["EXPLORER_BACKEND"] ?? "http://127.0.0.1:8000";

const MOCKED = "src/**/*.mocked.test.tsx";
const inDocument = { environment: "jsdom", setupFiles: ["./src/test/setup.ts"] };

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
  build: {
    target: "es2022",
    sourcemap: false,
    manifest: true,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // One file: what the first paint needs takes 9 kB more over the wire as forty small ones.
            {
              name: "first",
              test: /[\\/]src[\\/](?:app[\\/]main\.tsx|views[\\/]Standard[\\/]Standard\.tsx)$/,
            },
          ],
        },
      },
    },
  },
  test: {
    restoreMocks: true,
    // A document for each file takes longer than its tests, so files share one, and what needs none has none. One kind after
    // the other: a worker is kept for the next file only if that is of the same kind.
    projects: [
      {
        extends: true,
        test: { name: "plain", include: ["src/**/*.test.ts"], isolate: false, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          ...inDocument,
          name: "page",
          include: ["src/**/*.test.tsx"],
          exclude: [MOCKED],
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      // A module that one file replaces may not be replaced for the next.
      {
        extends: true,
        test: { ...inDocument, name: "mocked", include: [MOCKED], sequence: { groupOrder: 2 } },
      },
    ],
    // By default one core is left free, which is half of a small machine.
    maxWorkers: "100%",
    // For the test of what memory that is collected takes with it.
    execArgv: ["--expose-gc"],
    // Generous, as is what a test waits for: what passes does not wait, and a busy machine does.
    testTimeout: 60_000,
    // The colours of the style sheet are tested as they are written.
    css: { include: [/\.css\?raw$/] },
  },
});
