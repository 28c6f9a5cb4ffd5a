{{ config(materialized='ephemeral') }}
select * from {{ source('crm', 'users') }} where email is not null
