output "replication_task_arn" {
  value = aws_dms_replication_task.this.replication_task_arn
}

output "status" {
  value = aws_dms_replication_task.this.status
}
