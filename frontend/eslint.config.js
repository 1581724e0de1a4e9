import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import reactRefresh from "eslint-plugin-react-refresh";
import globals from "globals";
import tseslint from "typescript-eslint";

/** The import rule of the page: views -> components, context, api, lib, types; downwards only. */
const layer = (files, forbidden, message) => ({
  files,
  ignores: ["**/*.test.{ts,tsx}"],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: forbidden.map((name) => ({
          regex: `^(@/|(\\.\\./)+)${name}(/|$)`,
          message,
        })),
      },
    ],
  },
});

export default tseslint.config(
  { ignores: ["dist", "coverage", "test-results", "playwright-report", "src/types/api.d.ts", "public"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    languageOptions: { globals: globals.browser },
    plugins: { "react-hooks": reactHooks, "jsx-a11y": jsxA11y, "react-refresh": reactRefresh },
    rules: {
      ...reactHooks.configs.recommended.rules,
      ...jsxA11y.flatConfigs.strict.rules,
      "react-refresh/only-export-components": ["warn", { allowConstantExport: true }],
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  layer(["src/types/**"], ["api", "context", "components", "views", "lib"], "types import nothing of ours"),
  layer(["src/lib/**"], ["api", "context", "components", "views"], "lib imports only types"),
  layer(["src/api/**"], ["context", "components", "views"], "api imports only lib and types"),
  layer(["src/context/**"], ["components", "views"], "context imports only api, lib and types"),
  layer(["src/components/**"], ["views"], "components do not know the views"),
  {
    files: ["src/views/*/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "(^@/|/)views/|^\\.\\./[A-Z]", message: "views never import views" }] },
      ],
    },
  },
  {
    files: ["src/context/**", "src/test/**", "**/*.test.tsx"],
    rules: { "react-refresh/only-export-components": "off" },
  },
  { files: ["*.config.ts", "eslint.config.js", "e2e/**"], languageOptions: { globals: globals.node } },
  { files: ["eslint.config.js"], extends: [tseslint.configs.disableTypeChecked] },
);
