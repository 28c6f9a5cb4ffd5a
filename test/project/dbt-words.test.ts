/** dbt's Jinja in a segment: said to be dbt's, with what to write instead. */
import { expect, it } from "vitest";
import { OpportuneError, type Problem } from "../../src/core/errors.js";
import { projectWith } from "../segments/support.js";

function problems(sql: string): readonly Problem[] {
  try {
    projectWith(sql);
  } catch (error) {
    if (error instanceof OpportuneError) return error.problems;
    throw error;
  }
  return [];
}

it.each([
  ["select * from {{ ref('orders') }}", "{{ ref('orders') }} is dbt's", 'Write {{source "orders"}}', 15],
  ['select * from {{ref("orders")}}', '{{ref("orders") }} is dbt\'s', 'Write {{source "orders"}}', 15],
  [
    "select * from {{ source('shop', 'carts') }}",
    "{{ source('shop', 'carts') }} is dbt's",
    'Write {{source "carts"}}, and name the table under sources in opportune.yml: `carts: shop.carts`.',
    15,
  ],
  ["{{ config(materialized='table') }}\nselect 1", "{{ config(materialized='table') }} is dbt's", "Take it out", 1],
  ["select {{ var('least') }}", "{{ var('least') }} is dbt's", 'Write {{var "least"}}', 8],
  ["select {{ env_var('LEAST') }}", "{{ env_var('LEAST') }} is dbt's", 'Write {{var "least"}}, and under vars in opportune.yml `least: ${LEAST}`.', 8],
  ["select * from {{ this }}", "{{ this }} is dbt's", "Take it out", 15],
  ["select 1 {% if is_incremental() %} where a {% endif %}", "{% … %} is dbt's", "Take it out", 10],
  ["select 1 {# a note #}", "{# … #} is dbt's", "Take it out", 10],
  ["-- {{ ref('orders') }}\nselect 1", "{{ ref('orders') }} is dbt's", 'Write {{source "orders"}}', 4],
])("%s", (sql, says, hint, column) => {
  const found = problems(sql);
  expect(found).toMatchObject([{ code: "config/dbt", file: "segments/cart.sql", line: 6, column }]);
  expect(found[0]?.message).toContain(says);
  expect(found[0]?.hint).toContain(hint);
});

it.each(["select '{% of %}' as a from carts", `select * from {{source "carts"}} where a > {{var "least"}}`, "select 1 {{!-- this --}}"])(
  "nothing of dbt's: %s",
  (sql) => {
    expect(problems(sql)).toEqual([]);
  },
);
