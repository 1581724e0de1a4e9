import js from "@eslint/js";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import reactRefresh from "eslint-plugin-react-refresh";
import globals from "globals";
import tseslint from "typescript-eslint";

/** The rooms of `src`, lowest first. Each may import those of the rows below it, and what is listed. */
const ROOMS = [
  { rooms: ["base"] },
  { rooms: ["model"] },
  // Charts take buttons and other parts from `ui`; both are free of data that is read from a server.
  { rooms: ["reading", "charts", "ui"], also: { charts: ["ui"] } },
  { rooms: ["features"] },
  { rooms: ["views"] },
  { rooms: ["app"] },
];

const importRules = ROOMS.flatMap(({ rooms, also = {} }, row) =>
  rooms.map((room) => {
    const above = ROOMS.slice(row).flatMap((each) => each.rooms);
    const forbidden = above.filter((other) => other !== room && !also[room]?.includes(other));
    const patterns = [];
    if (forbidden.length > 0) {
      patterns.push({
        regex: `^(@/|(\\.\\./)+)(${forbidden.join("|")})(/|$)`,
        message: `${room} imports only what lies below it: base < model < reading, charts, ui < features < views < app`,
      });
    }
    if (room === "views") {
      patterns.push({ regex: "^(@/|(\\.\\./)+)views/|^\\.\\./[A-Z]", message: "views never import views" });
    }
    return {
      files: [`src/${room}/**`],
      ignores: ["**/*.test.{ts,tsx}"],
      rules: { "no-restricted-imports": ["error", { patterns }] },
    };
  }),
);

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
      "react-refresh/only-export-components": [
        "warn",
        // A view's module gives its note beside its component.
        { allowConstantExport: true, allowExportNames: ["note"] },
      ],
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  ...importRules,
  {
    // Files share a document and the modules that they load; `*.mocked.test.tsx` have their own.
    files: ["src/**/*.test.{ts,tsx}"],
    ignores: ["src/**/*.mocked.test.tsx"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.object.name='vi'][callee.property.name=/^(do)?[mM]ock$/]",
          message: "a file that replaces a module is called *.mocked.test.tsx",
        },
      ],
    },
  },
  {
    files: ["src/types/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "^@/", message: "types import nothing of ours" }] },
      ],
    },
  },
  {
    files: [
      "src/features/{chat/chat,notes/notes,pins/pinsContext,selection/selection,settings/settings}.tsx",
      "src/test/**",
      "**/*.test.tsx",
    ],
    rules: { "react-refresh/only-export-components": "off" },
  },
  {
    files: ["*.config.ts", "eslint.config.js", "weigh.mjs", "e2e/**"],
    languageOptions: { globals: globals.node },
  },
  { files: ["eslint.config.js", "weigh.mjs"], extends: [tseslint.configs.disableTypeChecked] },
);
