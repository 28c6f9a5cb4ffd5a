// @ts-check
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores(["dist/", "target/", "**/node_modules/"]),
  {
    files: ["**/*.ts", "**/*.js"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  },
  {
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      // `return answer(…)` and `void write(…)` say in one line that nothing comes back.
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-meaningless-void-operator": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Message ids count code points, which is what spreading a text gives.
      "@typescript-eslint/no-misused-spread": "off",
      // Interfaces here are objects of functions, which don't care for `this`; the rule can't see that.
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: "error",
    },
  },
  { files: ["src/**"], rules: { "no-console": "error" } },
  // A caught error is told apart by an assertion, which the rule doesn't follow.
  { files: ["test/**"], rules: { "@typescript-eslint/no-unsafe-class-instance-assignment": "off" } },
  // Values of unknown shape are told apart by typeof before they become text, which the rule doesn't follow.
  { files: ["src/render/**"], rules: { "@typescript-eslint/no-base-to-string": "off" } },
);
