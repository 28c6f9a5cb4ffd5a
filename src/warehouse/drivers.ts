/** The clients that Opportune does not bring: what follows `npm install`. */
export const DRIVERS = { snowflake: "snowflake-sdk", bigquery: "@google-cloud/bigquery google-auth-library" } as const;
