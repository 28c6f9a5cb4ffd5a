{{ config(materialized='table', alias='user_profiles') }}
select user_id, lower(email) as email, first_name, timezone from {{ ref('active_users') }}
