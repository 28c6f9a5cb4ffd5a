{{ config(materialized='view') }}
select * from {{ source('shop', 'orders') }}
