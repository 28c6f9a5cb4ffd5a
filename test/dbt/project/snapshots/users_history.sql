{% snapshot users_history %}
{{ config(unique_key='user_id', strategy='check', check_cols=['email']) }}
select * from {{ source('crm', 'users') }}
{% endsnapshot %}
